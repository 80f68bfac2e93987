// output = FACTOR * x, element-wise; four per thread. The gradient of scale is scale again.
override COUNT: u32; // vec4s
override ROW: u32; // threads in one row of the grid
override FACTOR: f32;

@group(0) @binding(0) var<storage, read> x: array<vec4f>;
@group(0) @binding(1) var<storage, read_write> output: array<vec4f>;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u) {
  let i = id.y * ROW + id.x;
  if (i < COUNT) {
    output[i] = FACTOR * x[i];
  }
}
