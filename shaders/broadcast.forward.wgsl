// output[i] = FACTOR * x[0]: the chain rule of a sum (FACTOR 1) and of a mean (1 / n).
override COUNT: u32; // vec4s
override ROW: u32; // threads in one row of the grid
override FACTOR: f32;

@group(0) @binding(0) var<storage, read> x: array<f32>;
@group(0) @binding(1) var<storage, read_write> output: array<vec4f>;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u) {
  let i = id.y * ROW + id.x;
  if (i < COUNT) {
    output[i] = vec4f(FACTOR * x[0]);
  }
}
