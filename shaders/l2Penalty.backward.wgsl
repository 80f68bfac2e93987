// d loss / d w = gradient * FACTOR * w, for the penalty FACTOR * sum(w^2) / 2.
override COUNT: u32; // vec4s
override ROW: u32; // threads in one row of the grid
override FACTOR: f32;

@group(0) @binding(0) var<storage, read> parameter: array<vec4f>;
@group(0) @binding(1) var<storage, read> gradient: array<f32>;
@group(0) @binding(2) var<storage, read_write> parameter_gradient: array<vec4f>;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u) {
  let i = id.y * ROW + id.x;
  if (i < COUNT) {
    parameter_gradient[i] = gradient[0] * FACTOR * parameter[i];
  }
}
