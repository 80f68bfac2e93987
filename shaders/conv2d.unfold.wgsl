// unfolded[(b, i, j), (u, v, c)] = x[b, i s + u - pad, j s + v - pad, c], 0 in the padding: each output's window as a row,
// with which a convolution of few channels becomes one matrix product. A thread copies one column of a window; the grid is
// (output columns x filter columns, output rows, batch), so that it divides once for all that it copies.
override HEIGHT: i32;
override WIDTH: i32;
override CHANNELS: u32;
override OUTPUT_HEIGHT: u32;
override OUTPUT_WIDTH: u32;
override SIZE_Y: u32;
override SIZE_X: u32;
override STRIDE_Y: i32;
override STRIDE_X: i32;
override PAD_Y: i32;
override PAD_X: i32;

@group(0) @binding(0) var<storage, read> x: array<f32>;
@group(0) @binding(1) var<storage, read_write> unfolded: array<f32>;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u) {
  if (id.x >= OUTPUT_WIDTH * SIZE_X) {
    return;
  }
  let j = id.x / SIZE_X;
  let v = id.x - j * SIZE_X;
  let column = i32(j) * STRIDE_X + i32(v) - PAD_X;
  let top = i32(id.y) * STRIDE_Y - PAD_Y;
  let window = ((id.z * OUTPUT_HEIGHT + id.y) * OUTPUT_WIDTH + j) * SIZE_Y;
  for (var u = 0u; u < SIZE_Y; u++) {
    let row = top + i32(u);
    let inside = (row >= 0) & (row < HEIGHT) & (column >= 0) & (column < WIDTH);
    let source = u32(select(0, (i32(id.z) * HEIGHT + row) * WIDTH + column, inside)) * CHANNELS;
    let target_ = ((window + u) * SIZE_X + v) * CHANNELS;
    for (var c = 0u; c < CHANNELS; c++) {
      unfolded[target_ + c] = select(0.0, x[source + c], inside);
    }
  }
}
