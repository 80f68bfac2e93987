// output[b, i, j, o] = bias[o] + sum over u, v, c of x[b, i s + u - pad, j s + v - pad, c] filter[u, v, c, o]. A thread
// computes 8 pixels (consecutive in [B, H', W'] order) x 8 channels (LANES apart, so that adjacent threads read
// adjacent filter elements): 16 loads for 64 multiply-adds, all accumulators in registers. The arrays' lengths are
// constants: a shader compiler that guards indices need not read them at each load.
override HEIGHT: i32;
override WIDTH: i32;
override CHANNELS: u32;
override OUTPUT_HEIGHT: u32;
override OUTPUT_WIDTH: u32;
override FILTERS: u32;
override PIXELS: u32; // B * OUTPUT_HEIGHT * OUTPUT_WIDTH
override SIZE_Y: i32;
override SIZE_X: i32;
override STRIDE_Y: i32 = 1;
override STRIDE_X: i32 = 1;
override PAD_Y: i32 = 0;
override PAD_X: i32 = 0;
override BIAS: u32 = 0u; // 1: add it
override ROW: u32; // workgroups in one row (y) of the grid

const LANES: u32 = 8; // threads over channels
const TILES: u32 = 8; // threads over pixels
const X_LENGTH: u32 = 1;
const FILTER_LENGTH: u32 = 1;

@group(0) @binding(0) var<storage, read> x: array<f32, X_LENGTH>;
@group(0) @binding(1) var<storage, read> filter_: array<f32, FILTER_LENGTH>;
@group(0) @binding(2) var<storage, read> bias: array<f32>;
@group(0) @binding(3) var<storage, read_write> output: array<f32>;

// Rows and columns of four windows' first elements, and the indices of those elements in x (perhaps in the padding).
struct Windows {
  row: vec4i,
  column: vec4i,
  at: vec4i,
}

fn windows(pixel: vec4u) -> Windows {
  let known = min(pixel, vec4u(PIXELS - 1u));
  let line = known / OUTPUT_WIDTH;
  let image = line / OUTPUT_HEIGHT;
  let row = vec4i(line - image * OUTPUT_HEIGHT) * STRIDE_Y - PAD_Y;
  let column = vec4i(known - line * OUTPUT_WIDTH) * STRIDE_X - PAD_X;
  return Windows(row, column, ((vec4i(image) * HEIGHT + row) * WIDTH + column) * i32(CHANNELS));
}

fn store(pixel: u32, o: u32, a: vec4f, b: vec4f) {
  var sums = array<vec4f, 2>(a, b);
  let offset = select(0.0, bias[o], BIAS == 1u);
  for (var p = 0u; p < 8u; p++) {
    if ((pixel + p < PIXELS) & (o < FILTERS)) {
      output[(pixel + p) * FILTERS + o] = sums[p / 4u][p % 4u] + offset;
    }
  }
}

@compute @workgroup_size(LANES, TILES)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_id) local: vec3u) {
  let o = group.x * LANES * 8u + local.x;
  let pixel = ((group.z * ROW + group.y) * TILES + local.y) * 8u;
  if (pixel >= PIXELS || o >= FILTERS) {
    return;
  }
  let wa = windows(vec4u(pixel) + vec4u(0u, 1u, 2u, 3u));
  let wb = windows(vec4u(pixel) + vec4u(4u, 5u, 6u, 7u));
  // Accumulators: a letter for four pixels, a number for a channel.
  var a0 = vec4f();
  var a1 = vec4f();
  var a2 = vec4f();
  var a3 = vec4f();
  var a4 = vec4f();
  var a5 = vec4f();
  var a6 = vec4f();
  var a7 = vec4f();
  var b0 = vec4f();
  var b1 = vec4f();
  var b2 = vec4f();
  var b3 = vec4f();
  var b4 = vec4f();
  var b5 = vec4f();
  var b6 = vec4f();
  var b7 = vec4f();
  for (var u = 0; u < SIZE_Y; u++) {
    let rows_a = (wa.row + u >= vec4i()) & (wa.row + u < vec4i(HEIGHT));
    let rows_b = (wb.row + u >= vec4i()) & (wb.row + u < vec4i(HEIGHT));
    for (var v = 0; v < SIZE_X; v++) {
      let inside_a = rows_a & (wa.column + v >= vec4i()) & (wa.column + v < vec4i(WIDTH));
      let inside_b = rows_b & (wb.column + v >= vec4i()) & (wb.column + v < vec4i(WIDTH));
      let tap = (u * WIDTH + v) * i32(CHANNELS);
      let at_a = vec4u(select(vec4i(), wa.at + tap, inside_a));
      let at_b = vec4u(select(vec4i(), wb.at + tap, inside_b));
      var f = u32(u * SIZE_X + v) * CHANNELS * FILTERS + o;
      // The end is a sum that is unknown at compile time: fully unrolled, few channels would take all registers.
      let end = f + CHANNELS * FILTERS;
      for (var c = 0u; f < end; c++) {
        let xa = select(vec4f(), vec4f(x[at_a.x + c], x[at_a.y + c], x[at_a.z + c], x[at_a.w + c]), inside_a);
        let xb = select(vec4f(), vec4f(x[at_b.x + c], x[at_b.y + c], x[at_b.z + c], x[at_b.w + c]), inside_b);
        let f0 = vec4f(filter_[f]);
        let f1 = vec4f(filter_[f + LANES]);
        let f2 = vec4f(filter_[f + 2u * LANES]);
        let f3 = vec4f(filter_[f + 3u * LANES]);
        let f4 = vec4f(filter_[f + 4u * LANES]);
        let f5 = vec4f(filter_[f + 5u * LANES]);
        let f6 = vec4f(filter_[f + 6u * LANES]);
        let f7 = vec4f(filter_[f + 7u * LANES]);
        a0 = fma(f0, xa, a0);
        b0 = fma(f0, xb, b0);
        a1 = fma(f1, xa, a1);
        b1 = fma(f1, xb, b1);
        a2 = fma(f2, xa, a2);
        b2 = fma(f2, xb, b2);
        a3 = fma(f3, xa, a3);
        b3 = fma(f3, xb, b3);
        a4 = fma(f4, xa, a4);
        b4 = fma(f4, xb, b4);
        a5 = fma(f5, xa, a5);
        b5 = fma(f5, xb, b5);
        a6 = fma(f6, xa, a6);
        b6 = fma(f6, xb, b6);
        a7 = fma(f7, xa, a7);
        b7 = fma(f7, xb, b7);
        f += FILTERS;
      }
    }
  }
  store(pixel, o, a0, b0);
  store(pixel, o + LANES, a1, b1);
  store(pixel, o + 2u * LANES, a2, b2);
  store(pixel, o + 3u * LANES, a3, b3);
  store(pixel, o + 4u * LANES, a4, b4);
  store(pixel, o + 5u * LANES, a5, b5);
  store(pixel, o + 6u * LANES, a6, b6);
  store(pixel, o + 7u * LANES, a7, b7);
}
