// output = max(x, 0); NaN stays NaN, which max() may drop. Element-wise, four per thread.
override COUNT: u32; // vec4s
override ROW: u32; // threads in one row of the grid

@group(0) @binding(0) var<storage, read> x: array<vec4f>;
@group(0) @binding(1) var<storage, read_write> output: array<vec4f>;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u) {
  let i = id.y * ROW + id.x;
  if (i < COUNT) {
    output[i] = select(x[i], vec4f(), x[i] < vec4f());
  }
}
