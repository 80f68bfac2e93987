// d loss / d x = gradient, 0 where relu(x) <= 0; where relu(x) is NaN the gradient passes, as in PyTorch. Reads the
// output instead of the input: the next operation keeps it alive anyway.
override COUNT: u32; // vec4s
override ROW: u32; // threads in one row of the grid

@group(0) @binding(0) var<storage, read> output: array<vec4f>;
@group(0) @binding(1) var<storage, read> gradient: array<vec4f>;
@group(0) @binding(2) var<storage, read_write> input_gradient: array<vec4f>;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u) {
  let i = id.y * ROW + id.x;
  if (i < COUNT) {
    input_gradient[i] = select(gradient[i], vec4f(), output[i] <= vec4f());
  }
}
