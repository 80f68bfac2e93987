// output = x / 255, four bytes per thread: pixels to [0, 1].
override COUNT: u32; // words of four bytes
override ROW: u32; // threads in one row of the grid

@group(0) @binding(0) var<storage, read> x: array<u32>;
@group(0) @binding(1) var<storage, read_write> output: array<vec4f>;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u) {
  let i = id.y * ROW + id.x;
  if (i < COUNT) {
    output[i] = unpack4x8unorm(x[i]);
  }
}
