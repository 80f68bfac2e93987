// The same as conv2d.forward for GPUs with wide subgroups, few CHANNELS (a first layer), filters 3 wide, stride 1:
// output[b, i, j, o] = bias[o] + sum over u, v, c of x[b, i + u - pad, j + v - pad, c] filter[u, v, c, o]. A workgroup
// is one row of 32 threads over channels o and computes 8 pixels of one line x 64 channels, two per thread. All its
// threads read the same x, so compilers can load it once into scalar registers: 10 values for three taps of 8 pixels.
// Tiles without padding, by far the most, have no selects, which would occupy the scalar unit longer than the rest. The
// grid is (channels, tiles of 8 pixels x lines, batch).
override HEIGHT: i32;
override WIDTH: i32;
override CHANNELS: i32;
override OUTPUT_HEIGHT: u32;
override OUTPUT_WIDTH: u32;
override FILTERS: u32;
override SIZE_Y: i32;
override PAD_Y: i32;
override PAD_X: i32;
override BIAS: u32 = 0u; // 1: add it

const LANES: u32 = 32; // threads over channels

@group(0) @binding(0) var<storage, read> x: array<f32>;
@group(0) @binding(1) var<storage, read> filter_: array<f32>;
@group(0) @binding(2) var<storage, read> bias: array<f32>;
@group(0) @binding(3) var<storage, read_write> output: array<f32>;

// Accumulators: a letter for four pixels, a number for a channel.
var<private> a0: vec4f;
var<private> b0: vec4f;
var<private> a1: vec4f;
var<private> b1: vec4f;

// One tap of eight pixels.
fn multiply(f: u32, xa: vec4f, xb: vec4f) {
  let f0 = vec4f(filter_[f]);
  let f1 = vec4f(filter_[f + LANES]);
  a0 = fma(f0, xa, a0);
  b0 = fma(f0, xb, b0);
  a1 = fma(f1, xa, a1);
  b1 = fma(f1, xb, b1);
}

// The three taps of a filter's row: ten columns of x, in a, b and c.
fn multiply3(f: u32, a: vec4f, b: vec4f, c: vec2f) {
  let tap = u32(CHANNELS) * FILTERS;
  multiply(f, a, b);
  multiply(f + tap, vec4f(a.yzw, b.x), vec4f(b.yzw, c.x));
  multiply(f + 2u * tap, vec4f(a.zw, b.xy), vec4f(b.zw, c));
}

fn inside(column: vec4i) -> vec4<bool> {
  return (column >= vec4i()) & (column < vec4i(WIDTH));
}

fn store(at: u32, column: u32, o: u32, a: vec4f, b: vec4f) {
  if (o >= FILTERS) {
    return;
  }
  var sums = array<f32, 8>(a.x, a.y, a.z, a.w, b.x, b.y, b.z, b.w);
  let offset = select(0.0, bias[o], BIAS == 1u);
  for (var p = 0u; p < 8u; p++) {
    if (column + p < OUTPUT_WIDTH) {
      output[at + p * FILTERS] = sums[p] + offset;
    }
  }
}

@compute @workgroup_size(LANES)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) lane: u32) {
  let o = group.x * LANES * 2u + lane;
  let in_line = (OUTPUT_WIDTH + 7u) / 8u;
  let line = group.y / in_line;
  let column = (group.y - line * in_line) * 8u;
  let left = i32(column) - PAD_X;
  let ia = inside(vec4i(left) + vec4i(0, 1, 2, 3));
  let ib = inside(vec4i(left) + vec4i(4, 5, 6, 7));
  let ic = inside(vec4i(left) + vec4i(8, 9, 9, 9)).xy;
  let untouched = (left >= 0) & (left + 10 <= WIDTH);
  for (var u = 0; u < SIZE_Y; u++) {
    let row = i32(line) + u - PAD_Y;
    if (row < 0 || row >= HEIGHT) {
      continue;
    }
    let first = ((i32(group.z) * HEIGHT + row) * WIDTH + left) * CHANNELS;
    var f = u32(u * 3 * CHANNELS) * FILTERS + o;
    if (untouched) {
      for (var c = 0; c < CHANNELS; c++) {
        let at = u32(first + c);
        let n = u32(CHANNELS);
        let a = vec4f(x[at], x[at + n], x[at + 2u * n], x[at + 3u * n]);
        let b = vec4f(x[at + 4u * n], x[at + 5u * n], x[at + 6u * n], x[at + 7u * n]);
        multiply3(f, a, b, vec2f(x[at + 8u * n], x[at + 9u * n]));
        f += FILTERS;
      }
    } else {
      let n = CHANNELS;
      let at_a = select(vec4i(), vec4i(first) + vec4i(0, n, 2 * n, 3 * n), ia);
      let at_b = select(vec4i(), vec4i(first) + vec4i(4 * n, 5 * n, 6 * n, 7 * n), ib);
      let at_c = select(vec2i(), vec2i(first) + vec2i(8 * n, 9 * n), ic);
      for (var c = 0; c < CHANNELS; c++) {
        let a = select(vec4f(), vec4f(x[at_a.x + c], x[at_a.y + c], x[at_a.z + c], x[at_a.w + c]), ia);
        let b = select(vec4f(), vec4f(x[at_b.x + c], x[at_b.y + c], x[at_b.z + c], x[at_b.w + c]), ib);
        multiply3(f, a, b, select(vec2f(), vec2f(x[at_c.x + c], x[at_c.y + c]), ic));
        f += FILTERS;
      }
    }
  }
  let at = ((group.z * OUTPUT_HEIGHT + line) * OUTPUT_WIDTH + column) * FILTERS + o;
  store(at, column, o, a0, b0);
  store(at + LANES, column, o + LANES, a1, b1);
}
