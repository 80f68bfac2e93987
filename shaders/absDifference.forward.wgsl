// output[i] = |a[i] - b[i + B_OFFSET]|. For two tensors B_OFFSET is 0; for the two halves of one stack, a and b are the
// stack and B_OFFSET is the size of a half.
override COUNT: u32; // elements
override ROW: u32; // threads in one row of the grid
override B_OFFSET: u32;

@group(0) @binding(0) var<storage, read> a: array<f32>;
@group(0) @binding(1) var<storage, read> b: array<f32>;
@group(0) @binding(2) var<storage, read_write> output: array<f32>;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u) {
  let i = id.y * ROW + id.x;
  if (i < COUNT) {
    output[i] = abs(a[i] - b[i + B_OFFSET]);
  }
}
