// d loss / d x[b, y, x, c] = sum of the gradients of the windows whose first maximum is here. Each input element
// gathers from the windows that cover it, so no two threads add to the same element. The grid is (columns x channels,
// rows, batch) of the input.
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
  if (id.x >= WIDTH * CHANNELS) {
    return;
  }
  let x = id.x / CHANNELS;
  let c = id.x - x * CHANNELS;
  let column = x + PAD_X;
  let y = id.y + PAD_Y;
  let b = id.z;
  // The windows that cover padded coordinate p start at S o for o in ceil((p - SIZE + 1) / S) .. p / S.
  let first_y = select((y - SIZE_Y) / STRIDE_Y + 1u, 0u, y < SIZE_Y);
  let first_x = select((column - SIZE_X) / STRIDE_X + 1u, 0u, column < SIZE_X);
  var total = 0.0;
  for (var oy = first_y; oy <= y / STRIDE_Y && oy < OUTPUT_HEIGHT; oy++) {
    for (var ox = first_x; ox <= column / STRIDE_X && ox < OUTPUT_WIDTH; ox++) {
      let o = ((b * OUTPUT_HEIGHT + oy) * OUTPUT_WIDTH + ox) * CHANNELS + c;
      let here = (y - oy * STRIDE_Y) * SIZE_X + (column - ox * STRIDE_X);
      total += select(0.0, gradient[o], argmax[o] == here);
    }
  }
  input_gradient[(b * HEIGHT + id.y) * WIDTH * CHANNELS + id.x] = total;
}
