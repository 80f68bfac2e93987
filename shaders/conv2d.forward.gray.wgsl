// The same as conv2d.forward for pictures of one channel under 3 x 3 filters, stride 1, FILTERS a multiple of 4:
// output[b, i, j, o] = bias[o] + sum over u, v of x[b, i + u - pad, j + v - pad] filter[u, v, o]. A thread loads the windows of
// 8 pixels of one line once, 30 values, and then goes through all channels o: nothing is summed across the passes of that
// loop, and a pass has 9 vec4s to load for 288 multiply-adds. Made for software adapters: stores of a GPU's neighbouring
// threads would lie far apart. The grid is (tiles of 8 pixels x lines, 1, batch).
override HEIGHT: i32;
override WIDTH: i32;
override OUTPUT_HEIGHT: u32;
override OUTPUT_WIDTH: u32;
override FILTERS: u32;
override PAD_Y: i32;
override PAD_X: i32;
override BIAS: u32 = 0u; // 1: add it

const X_LENGTH: u32 = 1;
const FILTER_LENGTH: u32 = 1; // vec4s
const OUTPUT_LENGTH: u32 = 1; // vec4s

@group(0) @binding(0) var<storage, read> x: array<f32, X_LENGTH>;
@group(0) @binding(1) var<storage, read> filter_: array<vec4f, FILTER_LENGTH>;
@group(0) @binding(2) var<storage, read> bias: array<vec4f>;
@group(0) @binding(3) var<storage, read_write> output: array<vec4f, OUTPUT_LENGTH>;

fn load(image: u32, row: i32, column: i32) -> vec4f {
  let inside = (row >= 0) & (row < HEIGHT) & (column >= 0) & (column < WIDTH);
  return vec4f(select(0.0, x[select(0, (i32(image) * HEIGHT + row) * WIDTH + column, inside)], inside));
}

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u) {
  let in_line = (OUTPUT_WIDTH + 7u) / 8u;
  let line = id.x / in_line;
  let column = (id.x - line * in_line) * 8u;
  if (line >= OUTPUT_HEIGHT) {
    return;
  }
  let top = i32(line) - PAD_Y;
  let left = i32(column) - PAD_X;
  // x and the filter by row, then column.
  let x00 = load(id.z, top, left);
  let x01 = load(id.z, top, left + 1);
  let x02 = load(id.z, top, left + 2);
  let x03 = load(id.z, top, left + 3);
  let x04 = load(id.z, top, left + 4);
  let x05 = load(id.z, top, left + 5);
  let x06 = load(id.z, top, left + 6);
  let x07 = load(id.z, top, left + 7);
  let x08 = load(id.z, top, left + 8);
  let x09 = load(id.z, top, left + 9);
  let x10 = load(id.z, top + 1, left);
  let x11 = load(id.z, top + 1, left + 1);
  let x12 = load(id.z, top + 1, left + 2);
  let x13 = load(id.z, top + 1, left + 3);
  let x14 = load(id.z, top + 1, left + 4);
  let x15 = load(id.z, top + 1, left + 5);
  let x16 = load(id.z, top + 1, left + 6);
  let x17 = load(id.z, top + 1, left + 7);
  let x18 = load(id.z, top + 1, left + 8);
  let x19 = load(id.z, top + 1, left + 9);
  let x20 = load(id.z, top + 2, left);
  let x21 = load(id.z, top + 2, left + 1);
  let x22 = load(id.z, top + 2, left + 2);
  let x23 = load(id.z, top + 2, left + 3);
  let x24 = load(id.z, top + 2, left + 4);
  let x25 = load(id.z, top + 2, left + 5);
  let x26 = load(id.z, top + 2, left + 6);
  let x27 = load(id.z, top + 2, left + 7);
  let x28 = load(id.z, top + 2, left + 8);
  let x29 = load(id.z, top + 2, left + 9);
  let step = FILTERS / 4u;
  let y = ((id.z * OUTPUT_HEIGHT + line) * OUTPUT_WIDTH + column) * step;
  for (var o = 0u; o < step; o++) {
    let f00 = filter_[o];
    let f01 = filter_[o + step];
    let f02 = filter_[o + 2u * step];
    let f10 = filter_[o + 3u * step];
    let f11 = filter_[o + 4u * step];
    let f12 = filter_[o + 5u * step];
    let f20 = filter_[o + 6u * step];
    let f21 = filter_[o + 7u * step];
    let f22 = filter_[o + 8u * step];
    let offset = select(vec4f(), bias[o], BIAS == 1u);
    var a0 = fma(f00, x00, offset);
    a0 = fma(f01, x01, a0);
    a0 = fma(f02, x02, a0);
    a0 = fma(f10, x10, a0);
    a0 = fma(f11, x11, a0);
    a0 = fma(f12, x12, a0);
    a0 = fma(f20, x20, a0);
    a0 = fma(f21, x21, a0);
    a0 = fma(f22, x22, a0);
    var a1 = fma(f00, x01, offset);
    a1 = fma(f01, x02, a1);
    a1 = fma(f02, x03, a1);
    a1 = fma(f10, x11, a1);
    a1 = fma(f11, x12, a1);
    a1 = fma(f12, x13, a1);
    a1 = fma(f20, x21, a1);
    a1 = fma(f21, x22, a1);
    a1 = fma(f22, x23, a1);
    var a2 = fma(f00, x02, offset);
    a2 = fma(f01, x03, a2);
    a2 = fma(f02, x04, a2);
    a2 = fma(f10, x12, a2);
    a2 = fma(f11, x13, a2);
    a2 = fma(f12, x14, a2);
    a2 = fma(f20, x22, a2);
    a2 = fma(f21, x23, a2);
    a2 = fma(f22, x24, a2);
    var a3 = fma(f00, x03, offset);
    a3 = fma(f01, x04, a3);
    a3 = fma(f02, x05, a3);
    a3 = fma(f10, x13, a3);
    a3 = fma(f11, x14, a3);
    a3 = fma(f12, x15, a3);
    a3 = fma(f20, x23, a3);
    a3 = fma(f21, x24, a3);
    a3 = fma(f22, x25, a3);
    var a4 = fma(f00, x04, offset);
    a4 = fma(f01, x05, a4);
    a4 = fma(f02, x06, a4);
    a4 = fma(f10, x14, a4);
    a4 = fma(f11, x15, a4);
    a4 = fma(f12, x16, a4);
    a4 = fma(f20, x24, a4);
    a4 = fma(f21, x25, a4);
    a4 = fma(f22, x26, a4);
    var a5 = fma(f00, x05, offset);
    a5 = fma(f01, x06, a5);
    a5 = fma(f02, x07, a5);
    a5 = fma(f10, x15, a5);
    a5 = fma(f11, x16, a5);
    a5 = fma(f12, x17, a5);
    a5 = fma(f20, x25, a5);
    a5 = fma(f21, x26, a5);
    a5 = fma(f22, x27, a5);
    var a6 = fma(f00, x06, offset);
    a6 = fma(f01, x07, a6);
    a6 = fma(f02, x08, a6);
    a6 = fma(f10, x16, a6);
    a6 = fma(f11, x17, a6);
    a6 = fma(f12, x18, a6);
    a6 = fma(f20, x26, a6);
    a6 = fma(f21, x27, a6);
    a6 = fma(f22, x28, a6);
    var a7 = fma(f00, x07, offset);
    a7 = fma(f01, x08, a7);
    a7 = fma(f02, x09, a7);
    a7 = fma(f10, x17, a7);
    a7 = fma(f11, x18, a7);
    a7 = fma(f12, x19, a7);
    a7 = fma(f20, x27, a7);
    a7 = fma(f21, x28, a7);
    a7 = fma(f22, x29, a7);
    output[y + o] = a0;
    if (column + 1u < OUTPUT_WIDTH) {
      output[y + step + o] = a1;
    }
    if (column + 2u < OUTPUT_WIDTH) {
      output[y + 2u * step + o] = a2;
    }
    if (column + 3u < OUTPUT_WIDTH) {
      output[y + 3u * step + o] = a3;
    }
    if (column + 4u < OUTPUT_WIDTH) {
      output[y + 4u * step + o] = a4;
    }
    if (column + 5u < OUTPUT_WIDTH) {
      output[y + 5u * step + o] = a5;
    }
    if (column + 6u < OUTPUT_WIDTH) {
      output[y + 6u * step + o] = a6;
    }
    if (column + 7u < OUTPUT_WIDTH) {
      output[y + 7u * step + o] = a7;
    }
  }
}
