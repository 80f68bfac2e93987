// The input gradient of a 3 x 3 convolution with padding 1 under a 2 x 2 max-pool, batch-norm and ReLU, by the direct
// algorithm:
//   input_gradient[b, i, j, c] = sum over u, v, o of y[b, i - u + 1, j - v + 1, o] filter[u, v, c, o]
// y, the gradient of the convolution's output, is never stored: see conv2d.pool.filterGradient. A thread computes RUN
// tiles of 4 x 4 pixels of one image and four channels: for each o the 6 x 6 patch of y from 16 windows (9 cells), and
// 9 vec4s of the filter for 144 multiply-adds of vec4s.
override HEIGHT: u32;
override WIDTH: u32;
override CHANNELS: u32; // vec4s
override FILTERS: u32; // a multiple of 4
override POOLED_Y: u32;
override POOLED_X: u32;
override CELLS_Y: u32; // cells in one image
override CELLS_X: u32;
override RUN: u32; // tiles per thread
override RUNS: u32; // threads per image (and vec4 of channels)
override GROUP: u32; // images that share statistics
override RELU: u32; // after the convolution
override HALF: u32 = 0u; // 1: pooled is packed float16
override HALF_GRADIENT: u32 = 0u; // 1: gradient is packed float16, to be divided by UNSCALE
override UNSCALE: f32 = 1.0;
override HALF_OUTPUT: u32 = 0u; // 1: input_gradient is packed float16, multiplied by SCALE
override SCALE: f32 = 1.0;
override COUNT: u32; // threads: images * RUNS * CHANNELS
override ROW: u32; // threads in one row of the grid

// The position of the slice in the batch is in a uniform, so that all slices share one pipeline.
struct Shape {
  FIRST_OUT: u32, // the first image of this launch among those of input_gradient that are bound
  FIRST_POOLED: u32, // among those of pooled and argmax
  FIRST_GRADIENT: u32, // among those of gradient
  FIRST: u32, // and in the whole batch
}

@group(0) @binding(0) var<storage, read> filter_: array<f32>;
@group(0) @binding(1) var<storage, read> pooled: array<u32>;
@group(0) @binding(2) var<storage, read> argmax: array<u32>; // [cells, FILTERS / 4]: see winograd.pool
@group(0) @binding(3) var<storage, read> gradient: array<u32>;
@group(0) @binding(4) var<storage, read> affine: array<f32>; // [groups, 4, FILTERS]: mean, scale, beta, 1 / deviation
@group(0) @binding(5) var<storage, read> coefficients: array<f32>; // [groups, 2, FILTERS]: c1, c2
@group(0) @binding(6) var<storage, read_write> input_gradient: array<vec2u>;
@group(0) @binding(7) var<uniform> shape: Shape;

struct Norm { mean: f32, scale: f32, beta: f32, c1: f32, c2: f32 }

fn half(word: u32, odd: bool) -> f32 {
  let both = unpack2x16float(word);
  return select(both.x, both.y, odd);
}

// The gradient of one pooled value; 0 outside.
fn arriving(image: u32, y: i32, x: i32, o: u32, norm: Norm) -> f32 {
  let inside = (y >= 0) & (y < i32(POOLED_Y)) & (x >= 0) & (x < i32(POOLED_X));
  let pixel = u32(clamp(y, 0, i32(POOLED_Y) - 1)) * POOLED_X + u32(clamp(x, 0, i32(POOLED_X) - 1));
  let size = POOLED_Y * POOLED_X;
  let at = ((shape.FIRST_POOLED + image) * size + pixel) * FILTERS + o;
  var d: f32;
  if (HALF == 1u) {
    d = half(pooled[at / 2u], at % 2u == 1u) - norm.mean;
  } else {
    d = bitcast<f32>(pooled[at]) - norm.mean;
  }
  let from_ = ((shape.FIRST_GRADIENT + image) * size + pixel) * FILTERS + o;
  var g: f32;
  if (HALF_GRADIENT == 1u) {
    g = half(gradient[from_ / 2u], from_ % 2u == 1u) * UNSCALE;
  } else {
    g = bitcast<f32>(gradient[from_]);
  }
  if (RELU == 1u) {
    g = select(g, 0.0, fma(d, norm.scale, norm.beta) <= 0.0);
  }
  return select(0.0, norm.scale * (g - norm.c1 - d * norm.c2), inside);
}

// The positions of the maxima of a cell's four windows: two bits each, one byte per window.
fn places(image: u32, y: i32, x: i32, o: u32) -> u32 {
  let cell = u32(clamp(y, 0, i32(CELLS_Y) - 1)) * CELLS_X + u32(clamp(x, 0, i32(CELLS_X) - 1));
  let at = ((shape.FIRST_POOLED + image) * CELLS_Y * CELLS_X + cell) * (FILTERS / 4u) + o / 4u;
  return argmax[at] >> (2u * (o % 4u));
}

fn at_place(value: f32, place: u32, window: u32, k: u32) -> f32 {
  return select(0.0, value, ((place >> (8u * window)) & 3u) == k);
}

struct Row { a: f32, b: f32, c: f32, d: f32, e: f32, f: f32 }

// Row r (0 or 1) of the windows of one line: the last column of the first, both of the next two, the first of the last.
// `upper` is 0 for a cell's upper windows and 2 for its lower ones.
fn spread(w: vec4f, left: u32, middle: u32, right: u32, upper: u32, r: u32) -> Row {
  return Row(
    at_place(w.x, left, upper + 1u, 2u * r + 1u),
    at_place(w.y, middle, upper, 2u * r),
    at_place(w.y, middle, upper, 2u * r + 1u),
    at_place(w.z, middle, upper + 1u, 2u * r),
    at_place(w.z, middle, upper + 1u, 2u * r + 1u),
    at_place(w.w, right, upper, 2u * r),
  );
}

fn windows(image: u32, y: i32, x: i32, o: u32, norm: Norm) -> vec4f {
  return vec4f(
    arriving(image, y, x - 1, o, norm), arriving(image, y, x, o, norm),
    arriving(image, y, x + 1, o, norm), arriving(image, y, x + 2, o, norm),
  );
}

// Four pixels of one row, four channels each.
struct Four { a: vec4f, b: vec4f, c: vec4f, d: vec4f }

fn multiply(sum: Four, r: Row, f0: vec4f, f1: vec4f, f2: vec4f) -> Four {
  return Four(
    fma(vec4f(r.a), f2, fma(vec4f(r.b), f1, fma(vec4f(r.c), f0, sum.a))),
    fma(vec4f(r.b), f2, fma(vec4f(r.c), f1, fma(vec4f(r.d), f0, sum.b))),
    fma(vec4f(r.c), f2, fma(vec4f(r.d), f1, fma(vec4f(r.e), f0, sum.c))),
    fma(vec4f(r.d), f2, fma(vec4f(r.e), f1, fma(vec4f(r.f), f0, sum.d))),
  );
}

fn tap(k: u32, c: u32, o: u32) -> vec4f {
  let at = (k * CHANNELS + c) * 4u * FILTERS + o;
  return vec4f(filter_[at], filter_[at + FILTERS], filter_[at + 2u * FILTERS], filter_[at + 3u * FILTERS]);
}

// Clamps to the largest float16; keeps NaN, which clamp() may drop.
fn within_f16(x: vec4f) -> vec4f {
  return select(select(x, vec4f(-65504.0), x < vec4f(-65504.0)), vec4f(65504.0), x > vec4f(65504.0));
}

fn keep(image: u32, y: u32, x: u32, c: u32, value: vec4f) {
  if ((y < HEIGHT) & (x < WIDTH)) {
    let at = ((shape.FIRST_OUT + image) * HEIGHT * WIDTH + y * WIDTH + x) * CHANNELS + c;
    if (HALF_OUTPUT == 1u) {
      let scaled = within_f16(value * SCALE);
      input_gradient[at] = vec2u(pack2x16float(scaled.xy), pack2x16float(scaled.zw));
    } else {
      let bits = bitcast<vec4u>(value);
      input_gradient[2u * at] = bits.xy;
      input_gradient[2u * at + 1u] = bits.zw;
    }
  }
}

fn keep_row(image: u32, y: u32, left: u32, c: u32, r: Four) {
  keep(image, y, left, c, r.a);
  keep(image, y, left + 1u, c, r.b);
  keep(image, y, left + 2u, c, r.c);
  keep(image, y, left + 3u, c, r.d);
}

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u) {
  let i = id.y * ROW + id.x;
  if (i >= COUNT) {
    return;
  }
  let c = i % CHANNELS;
  let image = i / CHANNELS / RUNS;
  let run = i / CHANNELS % RUNS;
  let group = (shape.FIRST + image) / GROUP;
  let tiles_x = WIDTH / 4u + u32(WIDTH % 4u > 0u);
  let tiles = (HEIGHT / 4u + u32(HEIGHT % 4u > 0u)) * tiles_x;
  let last = min((run + 1u) * RUN, tiles);
  for (var tile = run * RUN; tile < last; tile++) {
    let y = i32(tile / tiles_x);
    let x = i32(tile % tiles_x);
    var d0 = Four();
    var d1 = Four();
    var d2 = Four();
    var d3 = Four();
    for (var o = 0u; o < FILTERS; o++) {
      let at = group * 4u * FILTERS + o;
      let sums = group * 2u * FILTERS + o;
      let norm = Norm(
        affine[at], affine[at + FILTERS], affine[at + 2u * FILTERS], coefficients[sums], coefficients[sums + FILTERS],
      );
      let f00 = tap(0u, c, o);
      let f01 = tap(1u, c, o);
      let f02 = tap(2u, c, o);
      let f10 = tap(3u, c, o);
      let f11 = tap(4u, c, o);
      let f12 = tap(5u, c, o);
      let f20 = tap(6u, c, o);
      let f21 = tap(7u, c, o);
      let f22 = tap(8u, c, o);
      // Row by row of y: row r of the patch contributes to pixel rows r - 2 + u.
      let above = windows(image, 2 * y - 1, 2 * x, o, norm);
      let r0 = spread(above, places(image, y - 1, x - 1, o), places(image, y - 1, x, o), places(image, y - 1, x + 1, o), 2u, 1u);
      d0 = multiply(d0, r0, f20, f21, f22);
      let left = places(image, y, x - 1, o);
      let middle = places(image, y, x, o);
      let right = places(image, y, x + 1, o);
      let upper = windows(image, 2 * y, 2 * x, o, norm);
      let r1 = spread(upper, left, middle, right, 0u, 0u);
      d0 = multiply(d0, r1, f10, f11, f12);
      d1 = multiply(d1, r1, f20, f21, f22);
      let r2 = spread(upper, left, middle, right, 0u, 1u);
      d0 = multiply(d0, r2, f00, f01, f02);
      d1 = multiply(d1, r2, f10, f11, f12);
      d2 = multiply(d2, r2, f20, f21, f22);
      let lower = windows(image, 2 * y + 1, 2 * x, o, norm);
      let r3 = spread(lower, left, middle, right, 2u, 0u);
      d1 = multiply(d1, r3, f00, f01, f02);
      d2 = multiply(d2, r3, f10, f11, f12);
      d3 = multiply(d3, r3, f20, f21, f22);
      let r4 = spread(lower, left, middle, right, 2u, 1u);
      d2 = multiply(d2, r4, f00, f01, f02);
      d3 = multiply(d3, r4, f10, f11, f12);
      let below = windows(image, 2 * y + 2, 2 * x, o, norm);
      let r5 = spread(below, places(image, y + 1, x - 1, o), places(image, y + 1, x, o), places(image, y + 1, x + 1, o), 0u, 0u);
      d3 = multiply(d3, r5, f00, f01, f02);
    }
    let top = 4u * u32(y);
    let left = 4u * u32(x);
    keep_row(image, top, left, c, d0);
    keep_row(image, top + 1u, left, c, d1);
    keep_row(image, top + 2u, left, c, d2);
    keep_row(image, top + 3u, left, c, d3);
  }
}
