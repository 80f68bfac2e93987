// d loss / d x = gradient * y * (1 - y), with y = sigmoid(x) from the forward pass.
override COUNT: u32; // vec4s
override ROW: u32; // threads in one row of the grid

@group(0) @binding(0) var<storage, read> output: array<vec4f>;
@group(0) @binding(1) var<storage, read> gradient: array<vec4f>;
@group(0) @binding(2) var<storage, read_write> input_gradient: array<vec4f>;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u) {
  let i = id.y * ROW + id.x;
  if (i < COUNT) {
    let y = output[i];
    input_gradient[i] = gradient[i] * y * (1.0 - y);
  }
}
