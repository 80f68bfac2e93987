// output[b, oy, ox, c] = max over the window of x[b, oy S + ky - P, ox S + kx - P, c]; argmax keeps ky * SIZE_X + kx of
// the first maximum in row-major order. Padding never wins. One thread to an output element, channels along the lanes,
// so that loads are side by side.
override COUNT: u32; // elements
override ROW: u32; // threads in one row of the grid
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

@group(0) @binding(0) var<storage, read> x: array<f32>;
@group(0) @binding(1) var<storage, read_write> output: array<f32>;
@group(0) @binding(2) var<storage, read_write> argmax: array<u32>;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u) {
  let i = id.y * ROW + id.x;
  if (i >= COUNT) {
    return;
  }
  let c = i % CHANNELS;
  let ox = (i / CHANNELS) % OUTPUT_WIDTH;
  let oy = (i / (CHANNELS * OUTPUT_WIDTH)) % OUTPUT_HEIGHT;
  let b = i / (CHANNELS * OUTPUT_WIDTH * OUTPUT_HEIGHT);
  var best = 0.0;
  var position = 0u;
  var found = false;
  for (var ky = 0u; ky < SIZE_Y; ky++) {
    let y = oy * STRIDE_Y + ky - PAD_Y; // wraps above the picture, so one comparison serves both edges
    for (var kx = 0u; kx < SIZE_X; kx++) {
      let column = ox * STRIDE_X + kx - PAD_X;
      if (y < HEIGHT && column < WIDTH) {
        let value = x[((b * HEIGHT + y) * WIDTH + column) * CHANNELS + c];
        if (!found || value > best) {
          best = value;
          position = ky * SIZE_X + kx;
          found = true;
        }
      }
    }
  }
  output[i] = best;
  argmax[i] = position;
}
