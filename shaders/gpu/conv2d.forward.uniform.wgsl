// The same as conv2d.forward for GPUs with wide subgroups, CHANNELS a multiple of 4: output[b, i, j, o] = bias[o] + sum
// over u, v, c of x[b, i s + u - pad, j s + v - pad, c] filter[u, v, c, o]. A workgroup is one row of 32 threads over
// channels and computes 8 pixels x 64 channels, two per thread. All its threads read the same x, so compilers can load
// it once into scalar registers; filter loads are coalesced. Taps without padding, by far the most, have a loop without
// selects.
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

const LANES: u32 = 32; // threads over channels

@group(0) @binding(0) var<storage, read> x: array<vec4f>;
@group(0) @binding(1) var<storage, read> filter_: array<f32>;
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
  return Windows(row, column, ((vec4i(image) * HEIGHT + row) * WIDTH + column) * i32(CHANNELS / 4u));
}

// Accumulators: a letter for four pixels, a number for a channel.
var<private> a0: vec4f;
var<private> b0: vec4f;
var<private> a1: vec4f;
var<private> b1: vec4f;

// One input channel of eight pixels.
fn multiply(f: u32, xa: vec4f, xb: vec4f) {
  let f0 = vec4f(filter_[f]);
  let f1 = vec4f(filter_[f + LANES]);
  a0 = fma(f0, xa, a0);
  b0 = fma(f0, xb, b0);
  a1 = fma(f1, xa, a1);
  b1 = fma(f1, xb, b1);
}

// Four input channels of eight pixels.
fn multiply4(f: u32, p0: vec4f, p1: vec4f, p2: vec4f, p3: vec4f, p4: vec4f, p5: vec4f, p6: vec4f, p7: vec4f) {
  multiply(f, vec4f(p0.x, p1.x, p2.x, p3.x), vec4f(p4.x, p5.x, p6.x, p7.x));
  multiply(f + FILTERS, vec4f(p0.y, p1.y, p2.y, p3.y), vec4f(p4.y, p5.y, p6.y, p7.y));
  multiply(f + 2u * FILTERS, vec4f(p0.z, p1.z, p2.z, p3.z), vec4f(p4.z, p5.z, p6.z, p7.z));
  multiply(f + 3u * FILTERS, vec4f(p0.w, p1.w, p2.w, p3.w), vec4f(p4.w, p5.w, p6.w, p7.w));
}

fn store(pixel: u32, o: u32, a: vec4f, b: vec4f) {
  if (o >= FILTERS) {
    return;
  }
  var sums = array<f32, 8>(a.x, a.y, a.z, a.w, b.x, b.y, b.z, b.w);
  let offset = select(0.0, bias[o], BIAS == 1u);
  for (var p = 0u; p < 8u; p++) {
    if (pixel + p < PIXELS) {
      output[(pixel + p) * FILTERS + o] = sums[p] + offset;
    }
  }
}

@compute @workgroup_size(LANES)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) lane: u32) {
  let o = group.x * LANES * 2u + lane;
  let pixel = (group.z * ROW + group.y) * 8u;
  if (pixel >= PIXELS) {
    return;
  }
  let wa = windows(vec4u(pixel) + vec4u(0u, 1u, 2u, 3u));
  let wb = windows(vec4u(pixel) + vec4u(4u, 5u, 6u, 7u));
  for (var u = 0; u < SIZE_Y; u++) {
    let rows_a = (wa.row + u >= vec4i()) & (wa.row + u < vec4i(HEIGHT));
    let rows_b = (wb.row + u >= vec4i()) & (wb.row + u < vec4i(HEIGHT));
    for (var v = 0; v < SIZE_X; v++) {
      let ia = rows_a & (wa.column + v >= vec4i()) & (wa.column + v < vec4i(WIDTH));
      let ib = rows_b & (wb.column + v >= vec4i()) & (wb.column + v < vec4i(WIDTH));
      let tap = (u * WIDTH + v) * i32(CHANNELS / 4u);
      let at_a = vec4u(select(vec4i(), wa.at + tap, ia));
      let at_b = vec4u(select(vec4i(), wb.at + tap, ib));
      var f = u32(u * SIZE_X + v) * CHANNELS * FILTERS + o;
      // The end is a sum that is unknown at compile time: fully unrolled, the loops would spill scalar registers.
      let end = f + CHANNELS * FILTERS;
      var c = 0u;
      if (all(ia & ib)) {
        for (; f < end; f += 4u * FILTERS) {
          multiply4(
            f,
            x[at_a.x + c], x[at_a.y + c], x[at_a.z + c], x[at_a.w + c],
            x[at_b.x + c], x[at_b.y + c], x[at_b.z + c], x[at_b.w + c],
          );
          c++;
        }
      } else if (any(ia | ib)) {
        for (; f < end; f += 4u * FILTERS) {
          multiply4(
            f,
            select(vec4f(), x[at_a.x + c], ia.x), select(vec4f(), x[at_a.y + c], ia.y),
            select(vec4f(), x[at_a.z + c], ia.z), select(vec4f(), x[at_a.w + c], ia.w),
            select(vec4f(), x[at_b.x + c], ib.x), select(vec4f(), x[at_b.y + c], ib.y),
            select(vec4f(), x[at_b.z + c], ib.z), select(vec4f(), x[at_b.w + c], ib.w),
          );
          c++;
        }
      }
    }
  }
  store(pixel, o, a0, b0);
  store(pixel, o + LANES, a1, b1);
}
