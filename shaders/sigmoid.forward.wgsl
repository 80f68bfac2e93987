// output = 1 / (1 + exp(-x)), element by element; four to a thread. x is clamped where exp would overflow: beyond, the
// result is 0 or 1 to within a subnormal.
override COUNT: u32; // vec4s
override ROW: u32; // threads in one row of the grid

@group(0) @binding(0) var<storage, read> x: array<vec4f>;
@group(0) @binding(1) var<storage, read_write> output: array<vec4f>;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u) {
  let i = id.y * ROW + id.x;
  if (i < COUNT) {
    output[i] = 1.0 / (1.0 + exp(-clamp(x[i], vec4f(-87.0), vec4f(87.0))));
  }
}
