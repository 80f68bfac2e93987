// output[i] = x[i + OFFSET]: consecutive rows of x.
override COUNT: u32; // elements
override ROW: u32; // threads in one row of the grid
override OFFSET: u32;

@group(0) @binding(0) var<storage, read> x: array<f32>;
@group(0) @binding(1) var<storage, read_write> output: array<f32>;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u) {
  let i = id.y * ROW + id.x;
  if (i < COUNT) {
    output[i] = x[i + OFFSET];
  }
}
