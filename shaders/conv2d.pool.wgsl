// The maxima of 2 x 2 windows of a 3 x 3 convolution with padding 1, by the direct algorithm:
//   pooled[b, y, x, o] = bias[o] + max over r, s in 0..1 of
//     sum over u, v, c of x[b, 2y + r + u - 1, 2x + s + v - 1, c] filter[u, v, c, o]
// and the positions of the maxima; the convolution's own output is never stored. For batch-norm it also writes mean and
// sum of squared deviations (M2) of each channel over the thread's cells. A thread computes RUN cells (4 x 4 outputs,
// four windows) of one image and four channels: for each input channel it loads a 6 x 6 patch and 9 vec4s of the filter
// for 144 multiply-adds of vec4s, all in registers. Of an image that is one window high or wide it computes only that.
// Adjacent threads read adjacent filters and the same patch. For software adapters, rows of the patch and of the
// windows are loops, which compile in half the time, offsets of its lines are computed once, and shifts replace
// divisions, which such an adapter executes lane by lane. With NORMALIZED 1, x is read through batch-norm and ReLU:
// max(0, scale (x - mean) + beta).
override HEIGHT: i32;
override WIDTH: i32;
override CHANNELS: u32;
override FILTERS: u32; // vec4s
override POOLED_Y: u32;
override POOLED_X: u32;
override CELLS_Y: u32; // cells in one image
override CELLS_X: u32;
override GROUP: u32 = 1u; // images that share statistics
override BIAS: u32 = 0u; // 1: add it
override NORMALIZED: u32 = 0u;
override RELU: u32 = 1u;
override FORMAT: u32 = 0u; // of x: 0 float32, 1 packed float16, 2 bytes, read as byte / 255
override STATISTICS: u32 = 0u; // 1: write partial
override HALF: u32 = 0u; // 1: pooled is packed float16
override INFERENCE: u32 = 0u; // 1: pooled is the normalized maxima; no other output
override OUTPUT_RELU: u32 = 0u;

// The position and division of the slice are in a uniform, so that all slices share one pipeline.
struct Shape {
  FIRST_IN: u32, // the first image of this launch among those of x that are bound
  FIRST_OUT: u32, // among those of pooled
  FIRST: u32, // and in the whole batch
  RUN: u32, // cells per thread
  RUNS: u32, // threads per image (and vec4 of channels)
  COUNT: u32, // threads: images * RUNS * FILTERS
  ROW: u32, // threads in one row of the grid
}

const X_LENGTH: u32 = 1; // words
const FILTER_LENGTH: u32 = 1; // vec4s

@group(0) @binding(0) var<storage, read> x: array<u32, X_LENGTH>;
@group(0) @binding(1) var<storage, read> affine: array<f32>; // [groups, 4, CHANNELS]: mean, scale, beta, 1 / deviation
@group(0) @binding(2) var<storage, read> filter_: array<vec4f, FILTER_LENGTH>;
@group(0) @binding(3) var<storage, read> bias: array<vec4f>; // [FILTERS]; INFERENCE: [3, FILTERS] of batchNorm.fold
@group(0) @binding(4) var<storage, read_write> pooled: array<vec2u>;
@group(0) @binding(5) var<storage, read_write> argmax: array<u32>; // [cells, FILTERS]: see winograd.pool
// partial: [images * RUNS, 4, FILTERS]: count, first value, mean - first value, M2
@group(0) @binding(6) var<storage, read_write> partial: array<vec4f>;
@group(0) @binding(7) var<uniform> shape: Shape;

// The normalization through which a thread reads one channel of x.
struct Norm { mean: f32, scale: f32, beta: f32 }

// The position of a patch's row or column in x, and whether it is inside the image.
struct Line { at: u32, inside: bool }

fn column_at(x: i32) -> Line {
  return Line(u32(clamp(x, 0, WIDTH - 1)) * CHANNELS, (x >= 0) & (x < WIDTH));
}

fn load(row: Line, column: Line, n: Norm) -> f32 {
  let at = row.at + column.at;
  var value: f32;
  if (FORMAT == 2u) {
    value = f32((x[at >> 2u] >> (8u * (at & 3u))) & 255u) / 255.0;
  } else if (FORMAT == 1u) {
    let both = unpack2x16float(x[at >> 1u]);
    value = select(both.x, both.y, (at & 1u) == 1u);
  } else {
    value = bitcast<f32>(x[at]);
  }
  if (NORMALIZED == 1u) {
    value = fma(value - n.mean, n.scale, n.beta);
    if (RELU == 1u) {
      value = select(value, 0.0, value < 0.0);
    }
  }
  return select(0.0, value, row.inside & column.inside);
}

struct Lines { a: Line, b: Line, c: Line, d: Line, e: Line, f: Line }

struct Row { a: f32, b: f32, c: f32, d: f32, e: f32, f: f32 }

fn row_at(image: u32, y: i32, c: u32, columns: Lines, n: Norm) -> Row {
  let at = (image * u32(HEIGHT) + u32(clamp(y, 0, HEIGHT - 1))) * u32(WIDTH) * CHANNELS + c;
  let row = Line(at, (y >= 0) & (y < HEIGHT));
  let first = Row(load(row, columns.a, n), load(row, columns.b, n), load(row, columns.c, n), load(row, columns.d, n), 0, 0);
  if (POOLED_X == 1u) {
    return first;
  }
  return Row(first.a, first.b, first.c, first.d, load(row, columns.e, n), load(row, columns.f, n));
}

// A row of the filter, four channels each, and its three rows.
struct Taps { a: vec4f, b: vec4f, c: vec4f }

struct Filter { u0: Taps, u1: Taps, u2: Taps }

fn taps_at(at: u32) -> Taps {
  let step = CHANNELS * FILTERS;
  return Taps(filter_[at], filter_[at + step], filter_[at + 2u * step]);
}

fn filter_at(at: u32) -> Filter {
  let line = 3u * CHANNELS * FILTERS;
  return Filter(taps_at(at), taps_at(at + line), taps_at(at + 2u * line));
}

// Four outputs of one row, four channels each.
struct Four { a: vec4f, b: vec4f, c: vec4f, d: vec4f }

fn multiply(sum: Four, r: Row, f: Taps) -> Four {
  let a = fma(vec4f(r.c), f.c, fma(vec4f(r.b), f.b, fma(vec4f(r.a), f.a, sum.a)));
  let b = fma(vec4f(r.d), f.c, fma(vec4f(r.c), f.b, fma(vec4f(r.b), f.a, sum.b)));
  if (POOLED_X == 1u) {
    return Four(a, b, vec4f(), vec4f());
  }
  return Four(
    a,
    b,
    fma(vec4f(r.e), f.c, fma(vec4f(r.d), f.b, fma(vec4f(r.c), f.a, sum.c))),
    fma(vec4f(r.f), f.c, fma(vec4f(r.e), f.b, fma(vec4f(r.d), f.a, sum.d))),
  );
}

struct Maximum { value: vec4f, where_: vec4u }

// NaN is the largest, and the last NaN counts, as in PyTorch. The test uses the bits: WGSL lets a compiler assume that
// no float is NaN.
fn exceeds(b: vec4f, a: vec4f) -> vec4<bool> {
  return (b > a) | ((bitcast<vec4i>(b) & vec4i(0x7fffffff)) > vec4i(0x7f800000));
}

fn maximum(a: vec4f, b: vec4f, c: vec4f, d: vec4f) -> Maximum {
  let second = exceeds(b, a);
  let ab = select(a, b, second);
  let third = exceeds(c, ab);
  let abc = select(ab, c, third);
  let fourth = exceeds(d, abc);
  var where_ = select(vec4u(), vec4u(1u), second);
  where_ = select(where_, vec4u(2u), third);
  where_ = select(where_, vec4u(3u), fourth);
  return Maximum(select(abc, d, fourth), where_);
}

// INFERENCE: batch-norm's scale and shift, read once.
var<private> scale: vec4f;
var<private> shift: vec4f;
// The moments of the values so far.
var<private> n: f32;
var<private> origin: vec4f;
var<private> s1: vec4f;
var<private> s2: vec4f;

fn keep(image: u32, y: u32, x: u32, o: u32, value: vec4f) {
  if ((y < POOLED_Y) & (x < POOLED_X)) {
    let at = (((shape.FIRST_OUT + image) * POOLED_Y + y) * POOLED_X + x) * FILTERS + o;
    if (INFERENCE == 1u) {
      let y = fma(value, scale, shift);
      let bits = bitcast<vec4u>(select(y, vec4f(), (y < vec4f()) & vec4<bool>(OUTPUT_RELU == 1u)));
      pooled[2u * at] = bits.xy;
      pooled[2u * at + 1u] = bits.zw;
    } else {
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
}

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u) {
  let i = id.y * shape.ROW + id.x;
  if (i >= shape.COUNT) {
    return;
  }
  let o = i % FILTERS;
  let image = i / FILTERS / shape.RUNS;
  let run = i / FILTERS % shape.RUNS;
  let cells = CELLS_Y * CELLS_X;
  let last = min((run + 1u) * shape.RUN, cells);
  let offset = select(vec4f(), bias[o], BIAS == 1u);
  if (INFERENCE == 1u) {
    scale = bias[FILTERS + o];
    shift = bias[2u * FILTERS + o];
  }
  let statistics = (shape.FIRST + image) / GROUP * 4u * CHANNELS;
  let first = shape.FIRST_IN + image;
  var f: Filter;
  if (CHANNELS == 1u) {
    f = filter_at(o);
  }
  for (var cell = run * shape.RUN; cell < last; cell++) {
    let y = 2u * (cell / CELLS_X);
    let x = 2u * (cell % CELLS_X);
    let top = 2 * i32(y) - 1;
    let left = 2 * i32(x) - 1;
    let columns = Lines(
      column_at(left), column_at(left + 1), column_at(left + 2),
      column_at(left + 3), column_at(left + 4), column_at(left + 5),
    );
    var y0 = Four();
    var y1 = Four();
    var y2 = Four();
    var y3 = Four();
    for (var c = 0u; c < CHANNELS; c++) {
      var norm = Norm();
      if (NORMALIZED == 1u) {
        norm = Norm(affine[statistics + c], affine[statistics + CHANNELS + c], affine[statistics + 2u * CHANNELS + c]);
      }
      var r0 = Row();
      var r1 = Row();
      var r2 = Row();
      var r3 = Row();
      var r4 = Row();
      var r5 = Row();
      for (var k = 0; k < select(6, 4, POOLED_Y == 1u); k++) {
        r0 = r1;
        r1 = r2;
        r2 = r3;
        r3 = r4;
        r4 = r5;
        r5 = row_at(first, top + k, c, columns, norm);
      }
      if (CHANNELS > 1u) {
        f = filter_at(c * FILTERS + o);
      }
      if (POOLED_Y > 1u) {
        y0 = multiply(multiply(multiply(y0, r0, f.u0), r1, f.u1), r2, f.u2);
        y1 = multiply(multiply(multiply(y1, r1, f.u0), r2, f.u1), r3, f.u2);
      }
      y2 = multiply(multiply(multiply(y2, r2, f.u0), r3, f.u1), r4, f.u2);
      y3 = multiply(multiply(multiply(y3, r3, f.u0), r4, f.u1), r5, f.u2);
    }
    if (POOLED_Y == 1u) {
      y0 = y2;
      y1 = y3;
    }
    var where_ = vec4u();
    for (var r = 0u; r < 2u; r++) {
      let m0 = maximum(y0.a, y0.b, y1.a, y1.b);
      let m1 = maximum(y0.c, y0.d, y1.c, y1.d);
      keep(image, y + r, x, o, m0.value + offset);
      keep(image, y + r, x + 1u, o, m1.value + offset);
      where_ |= (m0.where_ | (m1.where_ << vec4u(8u))) << vec4u(16u * r);
      y0 = y2;
      y1 = y3;
    }
    if (INFERENCE == 0u) {
      argmax[((shape.FIRST_OUT + image) * cells + cell) * FILTERS + o] =
        where_.x | (where_.y << 2u) | (where_.z << 4u) | (where_.w << 6u);
    }
  }
  if (STATISTICS == 1u) {
    let at = ((shape.FIRST + image) * shape.RUNS + run) * 4u * FILTERS + o;
    let count = max(n, 1.0);
    partial[at] = vec4f(n);
    partial[at + FILTERS] = origin;
    partial[at + 2u * FILTERS] = s1 / count;
    partial[at + 3u * FILTERS] = s2 - s1 * s1 / count;
  }
}
