// The filter gradient of a 3 x 3 convolution with padding 1 under a 2 x 2 max-pool, batch-norm and ReLU, by the direct
// algorithm:
//   partial[part, u, v, c, o] = sum over b, i, j of x[b, i + u - 1, j + v - 1, c] y[b, i, j, o]
// y, the gradient of the convolution's output, is never stored: because of the max-pool it is zero except for one
// element per window, and the gradient there went through batch-norm and ReLU,
//   scale (g - c1 - (z - mean) c2),  g = the gradient where scale (z - mean) + beta > 0, else 0,
// with the pooled values z. A thread computes RUN cells (4 x 4 elements of y, four windows) of one image, for one
// channel of x and four of y: a 6 x 6 patch, four windows and 144 multiply-adds of vec4s per cell. For software
// adapters, as conv2d.pool: loops over the rows of the patch and of the sums. With NORMALIZED 1, x is read through
// batch-norm and ReLU, too. With ADD 1 the sums are added to the values in partial.
override HEIGHT: i32;
override WIDTH: i32;
override CHANNELS: u32;
override FILTERS: u32; // vec4s
override POOLED_Y: u32;
override POOLED_X: u32;
override CELLS_Y: u32; // cells in one image
override CELLS_X: u32;
override RUN: u32; // cells per thread
override RUNS: u32; // parts per image
override GROUP: u32; // images that share statistics
override RELU: u32; // after the convolution
override NORMALIZED: u32 = 0u;
override INPUT_RELU: u32 = 1u;
override FORMAT: u32 = 0u; // of x: 0 float32, 1 packed float16, 2 bytes, read as byte / 255
override HALF: u32 = 0u; // 1: pooled is packed float16
override HALF_GRADIENT: u32 = 0u; // 1: gradient is packed float16, to be divided by UNSCALE
override UNSCALE: f32 = 1.0;
override ADD: u32 = 0u;
override COUNT: u32; // threads: images * RUNS * CHANNELS * FILTERS
override ROW: u32; // threads in one row of the grid

// The position of the slice in the batch is in a uniform, so that all slices share one pipeline.
struct Shape {
  FIRST_IN: u32, // the first image of this launch among those of x that are bound
  FIRST_POOLED: u32, // among those of pooled and argmax
  FIRST_GRADIENT: u32, // among those of gradient
  FIRST: u32, // and in the whole batch
}

const X_LENGTH: u32 = 1; // words
const POOLED_LENGTH: u32 = 1; // pairs of words
const GRADIENT_LENGTH: u32 = 1; // pairs of words

@group(0) @binding(0) var<storage, read> x: array<u32, X_LENGTH>;
@group(0) @binding(1) var<storage, read> input_affine: array<f32>; // [groups, 4, CHANNELS]
@group(0) @binding(2) var<storage, read> pooled: array<vec2u, POOLED_LENGTH>;
@group(0) @binding(3) var<storage, read> argmax: array<u32>; // [cells, FILTERS]: see winograd.pool
@group(0) @binding(4) var<storage, read> gradient: array<vec2u, GRADIENT_LENGTH>;
@group(0) @binding(5) var<storage, read> affine: array<vec4f>; // [groups, 4, FILTERS]: mean, scale, beta, 1 / deviation
@group(0) @binding(6) var<storage, read> coefficients: array<vec4f>; // [groups, 2, FILTERS]: c1, c2
@group(0) @binding(7) var<storage, read_write> partial: array<vec4f>; // [images * RUNS, 3, 3, CHANNELS, FILTERS]
@group(0) @binding(8) var<uniform> shape: Shape;

// The normalization through which a thread reads one channel of x.
struct Source { mean: f32, scale: f32, beta: f32 }

// The position of a patch's row or column in x, and whether it is inside the image.
struct Line { at: u32, inside: bool }

fn column_at(x: i32) -> Line {
  return Line(u32(clamp(x, 0, WIDTH - 1)) * CHANNELS, (x >= 0) & (x < WIDTH));
}

fn load(row: Line, column: Line, s: Source) -> f32 {
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
    value = fma(value - s.mean, s.scale, s.beta);
    if (INPUT_RELU == 1u) {
      value = select(value, 0.0, value < 0.0);
    }
  }
  return select(0.0, value, row.inside & column.inside);
}

struct Lines { a: Line, b: Line, c: Line, d: Line, e: Line, f: Line }

struct Row { a: f32, b: f32, c: f32, d: f32, e: f32, f: f32 }

fn row_at(image: u32, y: i32, c: u32, columns: Lines, s: Source) -> Row {
  let at = (image * u32(HEIGHT) + u32(clamp(y, 0, HEIGHT - 1))) * u32(WIDTH) * CHANNELS + c;
  let row = Line(at, (y >= 0) & (y < HEIGHT));
  return Row(
    load(row, columns.a, s), load(row, columns.b, s), load(row, columns.c, s),
    load(row, columns.d, s), load(row, columns.e, s), load(row, columns.f, s),
  );
}

struct Norm { mean: vec4f, scale: vec4f, beta: vec4f, c1: vec4f, c2: vec4f }

// The gradient of one pooled value; 0 outside.
fn arriving(image: u32, y: u32, x: u32, o: u32, norm: Norm) -> vec4f {
  let inside = (y < POOLED_Y) & (x < POOLED_X);
  let pixel = min(y, POOLED_Y - 1u) * POOLED_X + min(x, POOLED_X - 1u);
  let size = POOLED_Y * POOLED_X;
  let at = ((shape.FIRST_POOLED + image) * size + pixel) * FILTERS + o;
  var d: vec4f;
  if (HALF == 1u) {
    d = vec4f(unpack2x16float(pooled[at].x), unpack2x16float(pooled[at].y)) - norm.mean;
  } else {
    d = bitcast<vec4f>(vec4u(pooled[2u * at], pooled[2u * at + 1u])) - norm.mean;
  }
  let from_ = ((shape.FIRST_GRADIENT + image) * size + pixel) * FILTERS + o;
  var g: vec4f;
  if (HALF_GRADIENT == 1u) {
    g = vec4f(unpack2x16float(gradient[from_].x), unpack2x16float(gradient[from_].y)) * UNSCALE;
  } else {
    g = bitcast<vec4f>(vec4u(gradient[2u * from_], gradient[2u * from_ + 1u]));
  }
  if (RELU == 1u) {
    g = select(g, vec4f(), fma(d, norm.scale, norm.beta) <= vec4f());
  }
  return select(vec4f(), norm.scale * (g - norm.c1 - d * norm.c2), inside);
}

// Four elements of one row of y.
struct Four { a: vec4f, b: vec4f, c: vec4f, d: vec4f }

// Row 0 or 1 of two adjacent windows.
fn spread(left: vec4f, left_place: vec4u, right: vec4f, right_place: vec4u, r: u32) -> Four {
  let first = vec4u(2u * r);
  let second = vec4u(2u * r + 1u);
  return Four(
    select(vec4f(), left, left_place == first),
    select(vec4f(), left, left_place == second),
    select(vec4f(), right, right_place == first),
    select(vec4f(), right, right_place == second),
  );
}

// One row of the filter.
struct Three { a: vec4f, b: vec4f, c: vec4f }

fn multiply(sum: Three, y: Four, r: Row) -> Three {
  return Three(
    fma(y.d, vec4f(r.d), fma(y.c, vec4f(r.c), fma(y.b, vec4f(r.b), fma(y.a, vec4f(r.a), sum.a)))),
    fma(y.d, vec4f(r.e), fma(y.c, vec4f(r.d), fma(y.b, vec4f(r.c), fma(y.a, vec4f(r.b), sum.b)))),
    fma(y.d, vec4f(r.f), fma(y.c, vec4f(r.e), fma(y.b, vec4f(r.d), fma(y.a, vec4f(r.c), sum.c)))),
  );
}

fn store(at: u32, value: vec4f) {
  if (ADD == 1u) {
    partial[at] += value;
  } else {
    partial[at] = value;
  }
}

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u) {
  let i = id.y * ROW + id.x;
  if (i >= COUNT) {
    return;
  }
  let o = i % FILTERS;
  let c = i / FILTERS % CHANNELS;
  let part = i / FILTERS / CHANNELS;
  let image = part / RUNS;
  let run = part % RUNS;
  let cells = CELLS_Y * CELLS_X;
  let group = (shape.FIRST + image) / GROUP;
  let at = group * 4u * FILTERS + o;
  let sums = group * 2u * FILTERS + o;
  let norm = Norm(
    affine[at], affine[at + FILTERS], affine[at + 2u * FILTERS], coefficients[sums], coefficients[sums + FILTERS],
  );
  var s = Source();
  if (NORMALIZED == 1u) {
    let from_ = group * 4u * CHANNELS + c;
    s = Source(input_affine[from_], input_affine[from_ + CHANNELS], input_affine[from_ + 2u * CHANNELS]);
  }
  var f0 = Three();
  var f1 = Three();
  var f2 = Three();
  let first = shape.FIRST_IN + image;
  let last = min((run + 1u) * RUN, cells);
  for (var cell = run * RUN; cell < last; cell++) {
    let y = 2u * (cell / CELLS_X);
    let x = 2u * (cell % CELLS_X);
    let top = 2 * i32(y) - 1;
    let left = 2 * i32(x) - 1;
    let columns = Lines(
      column_at(left), column_at(left + 1), column_at(left + 2),
      column_at(left + 3), column_at(left + 4), column_at(left + 5),
    );
    let places = vec4u(argmax[((shape.FIRST_POOLED + image) * cells + cell) * FILTERS + o]) >> vec4u(0u, 2u, 4u, 6u);
    var r0 = Row();
    var r1 = Row();
    var r2 = Row();
    var r3 = Row();
    var r4 = Row();
    var r5 = Row();
    for (var k = 0; k < 6; k++) {
      r0 = r1;
      r1 = r2;
      r2 = r3;
      r3 = r4;
      r4 = r5;
      r5 = row_at(first, top + k, c, columns, s);
    }
    let w0 = arriving(image, y, x, o, norm);
    let w1 = arriving(image, y, x + 1u, o, norm);
    let w2 = arriving(image, y + 1u, x, o, norm);
    let w3 = arriving(image, y + 1u, x + 1u, o, norm);
    let p0 = places & vec4u(3u);
    let p1 = (places >> vec4u(8u)) & vec4u(3u);
    let p2 = (places >> vec4u(16u)) & vec4u(3u);
    let p3 = (places >> vec4u(24u)) & vec4u(3u);
    let y0 = spread(w0, p0, w1, p1, 0u);
    f0 = multiply(f0, y0, r0);
    f1 = multiply(f1, y0, r1);
    f2 = multiply(f2, y0, r2);
    let y1 = spread(w0, p0, w1, p1, 1u);
    f0 = multiply(f0, y1, r1);
    f1 = multiply(f1, y1, r2);
    f2 = multiply(f2, y1, r3);
    let y2 = spread(w2, p2, w3, p3, 0u);
    f0 = multiply(f0, y2, r2);
    f1 = multiply(f1, y2, r3);
    f2 = multiply(f2, y2, r4);
    let y3 = spread(w2, p2, w3, p3, 1u);
    f0 = multiply(f0, y3, r3);
    f1 = multiply(f1, y3, r4);
    f2 = multiply(f2, y3, r5);
  }
  let to = (part * 9u * CHANNELS + c) * FILTERS + o;
  let step = CHANNELS * FILTERS;
  for (var u = 0u; u < 3u; u++) {
    store(to + 3u * u * step, f0.a);
    store(to + (3u * u + 1u) * step, f0.b);
    store(to + (3u * u + 2u) * step, f0.c);
    f0 = f1;
    f1 = f2;
  }
}
