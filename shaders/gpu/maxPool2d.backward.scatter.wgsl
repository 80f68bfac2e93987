// d loss / d x if windows do not overlap (STRIDE >= SIZE): each window's thread writes the cells from its own start to
// the next window's, the gradient at the maximum and 0 elsewhere; the first and the last window also write the edges.
// The grid is (columns x channels, rows, batch) of windows. Every cell is written once, and a window's argmax and
// gradient are loaded once.
override HEIGHT: u32;
override WIDTH: u32;
override CHANNELS: u32;
override OUTPUT_HEIGHT: u32;
override OUTPUT_WIDTH: u32;
override SIZE_Y: u32;
override SIZE_X: u32;
override STRIDE_Y: u32;
override STRIDE_X: u32;
override PAD_Y: u32; // rows of padding above
override PAD_X: u32; // columns of padding to the left

@group(0) @binding(0) var<storage, read> argmax: array<u32>;
@group(0) @binding(1) var<storage, read> gradient: array<f32>;
@group(0) @binding(2) var<storage, read_write> input_gradient: array<f32>;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u) {
  if (id.x >= OUTPUT_WIDTH * CHANNELS) {
    return;
  }
  let ox = id.x / CHANNELS;
  let c = id.x - ox * CHANNELS;
  let oy = id.y;
  let b = id.z;
  let i = (b * OUTPUT_HEIGHT + oy) * OUTPUT_WIDTH * CHANNELS + id.x;
  let top = oy * STRIDE_Y - PAD_Y; // wraps above the picture; offsets from it are still correct
  let left = ox * STRIDE_X - PAD_X;
  let first_y = select(top, 0u, oy == 0u);
  let first_x = select(left, 0u, ox == 0u);
  let last_y = select(top + STRIDE_Y, HEIGHT, oy == OUTPUT_HEIGHT - 1u);
  let last_x = select(left + STRIDE_X, WIDTH, ox == OUTPUT_WIDTH - 1u);
  let maximum = argmax[i];
  let g = gradient[i];
  for (var y = first_y; y < last_y; y++) {
    for (var x = first_x; x < last_x; x++) {
      let ky = y - top;
      let kx = x - left;
      let here = (ky < SIZE_Y) & (kx < SIZE_X) & (ky * SIZE_X + kx == maximum);
      input_gradient[((b * HEIGHT + y) * WIDTH + x) * CHANNELS + c] = select(0.0, g, here);
    }
  }
}
