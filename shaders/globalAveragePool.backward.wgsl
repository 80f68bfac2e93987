// d loss / d x[b, y, x, c] = gradient[b, c] / pixels: each pixel has an equal share of the mean.
override PIXELS: u32;
override CHANNELS: u32;
override COUNT: u32; // elements of the input
override ROW: u32; // threads in one row of the grid

@group(0) @binding(0) var<storage, read> gradient: array<f32>;
@group(0) @binding(1) var<storage, read_write> input_gradient: array<f32>;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u) {
  let i = id.y * ROW + id.x;
  if (i >= COUNT) {
    return;
  }
  let image = i / (PIXELS * CHANNELS);
  input_gradient[i] = gradient[image * CHANNELS + i % CHANNELS] / f32(PIXELS);
}
