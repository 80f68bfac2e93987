// The maxima of 2 x 2 windows of a 3 x 3 convolution with padding 1, directly:
//   pooled[b, y, x, o] = bias[o] + max over r, s in 0..1 of
//     sum over u, v, c of x[b, 2y + r + u - 1, 2x + s + v - 1, c] filter[u, v, c, o]
// with where the maxima were: the convolution's own output never exists. Beside them, for batch-norm, mean and sum of
// squared deviations (M2) of each channel over the thread's cells. A thread takes RUN cells (4 x 4 outputs, four windows)
// of one image and four channels: for each input channel it loads a 6 x 6 patch and 9 vec4s of the filter for 144
// multiply-adds of vec4s, all in registers. Neighbouring threads read neighbouring filters and the same patch.
// With NORMALISED 1, x is read through batch-norm and ReLU: max(0, scale (x - mean) + beta).
override HEIGHT: i32;
override WIDTH: i32;
override CHANNELS: u32;
override FILTERS: u32; // vec4s
override POOLED_Y: u32;
override POOLED_X: u32;
override CELLS_Y: u32; // cells in one image
override CELLS_X: u32;
override RUN: u32; // cells for each thread
override RUNS: u32; // threads for each image (and vec4 of channels)
override GROUP: u32 = 1u; // images that share statistics
override BIAS: u32 = 0u; // 1: add it
override NORMALISED: u32 = 0u;
override RELU: u32 = 1u;
override FORMAT: u32 = 0u; // of x: 0 float32, 1 packed float16, 2 bytes that stand for byte / 255
override STATISTICS: u32 = 0u; // 1: write partial
override HALF: u32 = 0u; // 1: pooled is packed float16
override COUNT: u32; // threads: images * RUNS * FILTERS
override ROW: u32; // threads in one row of the grid

// Where a slice of the batch lies is read, so that all slices share one pipeline.
struct Shape {
  FIRST_IN: u32, // the first image of this launch among those of x that are bound
  FIRST_OUT: u32, // among those of pooled
  FIRST: u32, // and in the whole batch
}

@group(0) @binding(0) var<storage, read> x: array<u32>;
@group(0) @binding(1) var<storage, read> affine: array<f32>; // [groups, 4, CHANNELS]: mean, scale, beta, 1 / deviation
@group(0) @binding(2) var<storage, read> filter_: array<vec4f>;
@group(0) @binding(3) var<storage, read> bias: array<vec4f>;
@group(0) @binding(4) var<storage, read_write> pooled: array<vec2u>;
@group(0) @binding(5) var<storage, read_write> argmax: array<u32>; // [cells, FILTERS]: see winograd.pool
@group(0) @binding(6) var<storage, read_write> partial: array<vec4f>; // [images * RUNS, 3, FILTERS]: count, mean, M2
@group(0) @binding(7) var<uniform> shape: Shape;

// What a thread reads one channel of x through.
struct Source { image: i32, c: u32, mean: f32, scale: f32, beta: f32 }

fn load(s: Source, row: i32, column: i32) -> f32 {
  let inside = (row >= 0) & (row < HEIGHT) & (column >= 0) & (column < WIDTH);
  let pixel = (s.image * HEIGHT + clamp(row, 0, HEIGHT - 1)) * WIDTH + clamp(column, 0, WIDTH - 1);
  let at = u32(pixel) * CHANNELS + s.c;
  var value: f32;
  if (FORMAT == 2u) {
    value = f32((x[at / 4u] >> (8u * (at % 4u))) & 255u) / 255.0;
  } else if (FORMAT == 1u) {
    let both = unpack2x16float(x[at / 2u]);
    value = select(both.x, both.y, at % 2u == 1u);
  } else {
    value = bitcast<f32>(x[at]);
  }
  if (NORMALISED == 1u) {
    value = fma(value - s.mean, s.scale, s.beta);
    if (RELU == 1u) {
      value = max(value, 0.0);
    }
  }
  return select(0.0, value, inside);
}

struct Row { a: f32, b: f32, c: f32, d: f32, e: f32, f: f32 }

fn row(s: Source, y: i32, x: i32) -> Row {
  return Row(load(s, y, x), load(s, y, x + 1), load(s, y, x + 2), load(s, y, x + 3), load(s, y, x + 4), load(s, y, x + 5));
}

// Four outputs of one row, four channels each.
struct Four { a: vec4f, b: vec4f, c: vec4f, d: vec4f }

fn multiply(sum: Four, r: Row, f0: vec4f, f1: vec4f, f2: vec4f) -> Four {
  return Four(
    fma(vec4f(r.c), f2, fma(vec4f(r.b), f1, fma(vec4f(r.a), f0, sum.a))),
    fma(vec4f(r.d), f2, fma(vec4f(r.c), f1, fma(vec4f(r.b), f0, sum.b))),
    fma(vec4f(r.e), f2, fma(vec4f(r.d), f1, fma(vec4f(r.c), f0, sum.c))),
    fma(vec4f(r.f), f2, fma(vec4f(r.e), f1, fma(vec4f(r.d), f0, sum.d))),
  );
}

struct Maximum { value: vec4f, where_: vec4u }

fn maximum(a: vec4f, b: vec4f, c: vec4f, d: vec4f) -> Maximum {
  var m = Maximum(a, vec4u());
  m.where_ = select(m.where_, vec4u(1u), b > m.value);
  m.value = max(m.value, b);
  m.where_ = select(m.where_, vec4u(2u), c > m.value);
  m.value = max(m.value, c);
  m.where_ = select(m.where_, vec4u(3u), d > m.value);
  m.value = max(m.value, d);
  return m;
}

// What the thread has seen so far.
var<private> n: f32;
var<private> origin: vec4f;
var<private> s1: vec4f;
var<private> s2: vec4f;

fn keep(image: u32, y: u32, x: u32, o: u32, value: vec4f) {
  if ((y < POOLED_Y) & (x < POOLED_X)) {
    let at = (((shape.FIRST_OUT + image) * POOLED_Y + y) * POOLED_X + x) * FILTERS + o;
    var seen = value;
    if (HALF == 1u) {
      let packed = vec2u(pack2x16float(value.xy), pack2x16float(value.zw));
      pooled[at] = packed;
      seen = vec4f(unpack2x16float(packed.x), unpack2x16float(packed.y));
    } else {
      let bits = bitcast<vec4u>(value);
      pooled[2u * at] = bits.xy;
      pooled[2u * at + 1u] = bits.zw;
    }
    origin = select(origin, seen, n == 0.0);
    let d = seen - origin;
    n += 1.0;
    s1 += d;
    s2 += d * d;
  }
}

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u) {
  let i = id.y * ROW + id.x;
  if (i >= COUNT) {
    return;
  }
  let o = i % FILTERS;
  let image = i / FILTERS / RUNS;
  let run = i / FILTERS % RUNS;
  let cells = CELLS_Y * CELLS_X;
  let last = min((run + 1u) * RUN, cells);
  let offset = select(vec4f(), bias[o], BIAS == 1u);
  let statistics = (shape.FIRST + image) / GROUP * 4u * CHANNELS;
  for (var cell = run * RUN; cell < last; cell++) {
    let y = 2u * (cell / CELLS_X);
    let x = 2u * (cell % CELLS_X);
    let top = 2 * i32(y) - 1;
    let left = 2 * i32(x) - 1;
    var y0 = Four();
    var y1 = Four();
    var y2 = Four();
    var y3 = Four();
    for (var c = 0u; c < CHANNELS; c++) {
      var s = Source(i32(shape.FIRST_IN + image), c, 0.0, 0.0, 0.0);
      if (NORMALISED == 1u) {
        s.mean = affine[statistics + c];
        s.scale = affine[statistics + CHANNELS + c];
        s.beta = affine[statistics + 2u * CHANNELS + c];
      }
      let at = c * FILTERS + o;
      let step = CHANNELS * FILTERS;
      let f00 = filter_[at];
      let f01 = filter_[at + step];
      let f02 = filter_[at + 2u * step];
      let f10 = filter_[at + 3u * step];
      let f11 = filter_[at + 4u * step];
      let f12 = filter_[at + 5u * step];
      let f20 = filter_[at + 6u * step];
      let f21 = filter_[at + 7u * step];
      let f22 = filter_[at + 8u * step];
      let r0 = row(s, top, left);
      y0 = multiply(y0, r0, f00, f01, f02);
      let r1 = row(s, top + 1, left);
      y0 = multiply(y0, r1, f10, f11, f12);
      y1 = multiply(y1, r1, f00, f01, f02);
      let r2 = row(s, top + 2, left);
      y0 = multiply(y0, r2, f20, f21, f22);
      y1 = multiply(y1, r2, f10, f11, f12);
      y2 = multiply(y2, r2, f00, f01, f02);
      let r3 = row(s, top + 3, left);
      y1 = multiply(y1, r3, f20, f21, f22);
      y2 = multiply(y2, r3, f10, f11, f12);
      y3 = multiply(y3, r3, f00, f01, f02);
      let r4 = row(s, top + 4, left);
      y2 = multiply(y2, r4, f20, f21, f22);
      y3 = multiply(y3, r4, f10, f11, f12);
      let r5 = row(s, top + 5, left);
      y3 = multiply(y3, r5, f20, f21, f22);
    }
    let m0 = maximum(y0.a, y0.b, y1.a, y1.b);
    let m1 = maximum(y0.c, y0.d, y1.c, y1.d);
    let m2 = maximum(y2.a, y2.b, y3.a, y3.b);
    let m3 = maximum(y2.c, y2.d, y3.c, y3.d);
    keep(image, y, x, o, m0.value + offset);
    keep(image, y, x + 1u, o, m1.value + offset);
    keep(image, y + 1u, x, o, m2.value + offset);
    keep(image, y + 1u, x + 1u, o, m3.value + offset);
    let where_ = m0.where_ | (m1.where_ << vec4u(8u)) | (m2.where_ << vec4u(16u)) | (m3.where_ << vec4u(24u));
    argmax[((shape.FIRST_OUT + image) * cells + cell) * FILTERS + o] =
      where_.x | (where_.y << 2u) | (where_.z << 4u) | (where_.w << 6u);
  }
  if (STATISTICS == 1u) {
    let at = ((shape.FIRST + image) * RUNS + run) * 3u * FILTERS + o;
    let count = max(n, 1.0);
    partial[at] = vec4f(n);
    partial[at + FILTERS] = origin + s1 / count;
    partial[at + 2u * FILTERS] = s2 - s1 * s1 / count;
  }
}
