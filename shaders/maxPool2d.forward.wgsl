// output[b, oy, ox, c] = max over the window of x[b, oy S + ky - P, ox S + kx - P, c]; argmax is ky * SIZE_X + kx of
// the first maximum in row-major order. Padding is never the maximum. One thread per output element; adjacent threads
// take adjacent channels. The grid is (columns x channels, rows, batch), so that a thread needs one division to find
// its position.
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

// NaN is the largest, and the last NaN counts, as in PyTorch. The test uses the bits: WGSL lets a compiler assume that
// no float is NaN.
fn exceeds(b: f32, a: f32) -> bool {
  return (b > a) | ((bitcast<i32>(b) & 0x7fffffff) > 0x7f800000);
}

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
  // Selects instead of branches: a software adapter must merge its lanes' masks at each branch.
  var best = 0.0;
  var position = 0u;
  var found = false;
  for (var ky = 0u; ky < SIZE_Y; ky++) {
    let y = oy * STRIDE_Y + ky - PAD_Y; // wraps above the picture: one comparison covers both edges
    for (var kx = 0u; kx < SIZE_X; kx++) {
      let column = ox * STRIDE_X + kx - PAD_X;
      let inside = (y < HEIGHT) & (column < WIDTH);
      let value = x[select(0u, ((b * HEIGHT + y) * WIDTH + column) * CHANNELS + c, inside)];
      let wins = inside & (!found | exceeds(value, best));
      best = select(best, value, wins);
      position = select(position, ky * SIZE_X + kx, wins);
      found = found | inside;
    }
  }
  output[i] = best;
  argmax[i] = position;
}
