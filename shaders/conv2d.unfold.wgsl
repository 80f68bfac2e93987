// unfolded[(b, i, j), (u, v, c)] = x[b, i s + u - pad, j s + v - pad, c], 0 in the padding: each output's window as a row,
// with which a convolution of few channels becomes one matrix product. A thread copies one tap.
override HEIGHT: i32;
override WIDTH: i32;
override CHANNELS: u32;
override OUTPUT_HEIGHT: u32;
override OUTPUT_WIDTH: u32;
override SIZE_X: u32;
override TAPS: u32; // U * V
override STRIDE_Y: i32;
override STRIDE_X: i32;
override PAD_Y: i32;
override PAD_X: i32;
override COUNT: u32; // threads: outputs * TAPS
override ROW: u32; // threads in one row of the grid

@group(0) @binding(0) var<storage, read> x: array<f32>;
@group(0) @binding(1) var<storage, read_write> unfolded: array<f32>;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u) {
  let at = id.y * ROW + id.x;
  if (at >= COUNT) {
    return;
  }
  let pixel = at / TAPS;
  let tap = at - pixel * TAPS;
  let line = pixel / OUTPUT_WIDTH;
  let image = line / OUTPUT_HEIGHT;
  let u = tap / SIZE_X;
  let row = i32(line - image * OUTPUT_HEIGHT) * STRIDE_Y + i32(u) - PAD_Y;
  let column = i32(pixel - line * OUTPUT_WIDTH) * STRIDE_X + i32(tap - u * SIZE_X) - PAD_X;
  let inside = (row >= 0) & (row < HEIGHT) & (column >= 0) & (column < WIDTH);
  let source = u32(select(0, (i32(image) * HEIGHT + row) * WIDTH + column, inside)) * CHANNELS;
  for (var c = 0u; c < CHANNELS; c++) {
    unfolded[at * CHANNELS + c] = select(0.0, x[source + c], inside);
  }
}
