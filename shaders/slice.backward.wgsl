// d loss / d x: the gradient in the rows of the slice, 0 elsewhere.
override COUNT: u32; // elements
override ROW: u32; // threads in one row of the grid
override OFFSET: u32;
override TAKEN: u32; // elements of the slice

@group(0) @binding(0) var<storage, read> gradient: array<f32>;
@group(0) @binding(1) var<storage, read_write> input_gradient: array<f32>;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u) {
  let i = id.y * ROW + id.x;
  if (i < COUNT) {
    let inside = (i >= OFFSET) & (i < OFFSET + TAKEN);
    input_gradient[i] = select(0.0, gradient[select(0u, i - OFFSET, inside)], inside);
  }
}
