// The same as conv2d.pool.filterGradient through workgroup memory, for GPUs:
//   partial[part, u, v, c, o] = sum over b, i, j of x[b, i + u - 1, j + v - 1, c] y[b, i, j, o]
// Three of the four elements of y in each window of the max-pool are zero, and are skipped: a thread reads the position
// of its window's maximum and multiplies the 3 x 3 values of x around it, a quarter of the direct multiply-adds. A
// workgroup is LANES threads over channels o for each of SETS sets of four channels c. For each cell it copies a 6 x 6
// patch of x, padded and normalized, and a thread computes 4 windows: 9 vec4s of x and 9 multiply-adds of vec4s for
// each.
override HEIGHT: i32;
override WIDTH: i32;
override CHANNELS: u32;
override FILTERS: u32; // vec4s
override POOLED_Y: u32;
override POOLED_X: u32;
override CELLS_Y: u32; // cells in one image
override CELLS_X: u32;
override RUN: u32; // cells for each part
override RUNS: u32; // parts per image
override GROUP: u32; // images that share statistics
override RELU: u32; // after the convolution
override NORMALIZED: u32 = 0u;
override INPUT_RELU: u32 = 1u;
override FORMAT: u32 = 0u; // of x: 0 float32, 1 packed float16, 2 bytes, read as byte / 255
override HALF: u32 = 0u; // 1: pooled is packed float16
override HALF_GRADIENT: u32 = 0u; // 1: gradient is packed float16, to be divided by UNSCALE
override UNSCALE: f32 = 1.0;

// The position of the slice in the batch is in a uniform, so that all slices share one pipeline.
struct Shape {
  FIRST_IN: u32, // the first image of this launch among those of x that are bound
  FIRST_POOLED: u32, // among those of pooled and argmax
  FIRST_GRADIENT: u32, // among those of gradient
  FIRST: u32, // and in the whole batch
}

const LANES: u32 = 64; // threads over channels o
const SETS: u32 = 64u / LANES;

@group(0) @binding(0) var<storage, read> x: array<u32>;
@group(0) @binding(1) var<storage, read> input_affine: array<f32>; // [groups, 4, CHANNELS]
@group(0) @binding(2) var<storage, read> pooled: array<u32>;
@group(0) @binding(3) var<storage, read> argmax: array<u32>; // [cells, FILTERS]: see winograd.pool
@group(0) @binding(4) var<storage, read> gradient: array<u32>;
@group(0) @binding(5) var<storage, read> affine: array<f32>; // [groups, 4, 4 FILTERS]: mean, scale, beta, 1 / deviation
@group(0) @binding(6) var<storage, read> coefficients: array<f32>; // [groups, 2, 4 FILTERS]: c1, c2
@group(0) @binding(7) var<storage, read_write> partial: array<f32>; // [images * RUNS, 3, 3, CHANNELS, 4 FILTERS]
@group(0) @binding(8) var<uniform> shape: Shape;

var<workgroup> copied: array<vec4f, SETS * 36u>; // [SETS, 6, 6]

fn half(word: u32, at: u32) -> f32 {
  return unpack2x16float(word >> (16u * (at % 2u))).x;
}

fn load(pixel: u32, c: u32, statistics: u32) -> f32 {
  let at = pixel * CHANNELS + c;
  var value: f32;
  if (FORMAT == 2u) {
    value = f32((x[at / 4u] >> (8u * (at % 4u))) & 255u) / 255.0;
  } else if (FORMAT == 1u) {
    value = half(x[at / 2u], at);
  } else {
    value = bitcast<f32>(x[at]);
  }
  if (NORMALIZED == 1u) {
    let from_ = statistics + c;
    value = fma(value - input_affine[from_], input_affine[from_ + CHANNELS], input_affine[from_ + 2u * CHANNELS]);
    if (INPUT_RELU == 1u) {
      value = select(value, 0.0, value < 0.0);
    }
  }
  return value;
}

// Four channels of a pixel; 0 in the padding.
fn load4(image: u32, row: i32, column: i32, c: u32, statistics: u32) -> vec4f {
  let inside = (row >= 0) & (row < HEIGHT) & (column >= 0) & (column < WIDTH);
  let known = (i32(shape.FIRST_IN + image) * HEIGHT + clamp(row, 0, HEIGHT - 1)) * WIDTH + clamp(column, 0, WIDTH - 1);
  let last = CHANNELS - 1u;
  let pixel = u32(known);
  let value = vec4f(
    load(pixel, min(c, last), statistics), load(pixel, min(c + 1u, last), statistics),
    load(pixel, min(c + 2u, last), statistics), load(pixel, min(c + 3u, last), statistics),
  );
  return select(vec4f(), value, inside);
}

struct Norm { mean: f32, scale: f32, beta: f32, c1: f32, c2: f32 }

// The gradient of one pooled value; 0 outside.
fn arriving(image: u32, y: u32, x: u32, o: u32, norm: Norm) -> f32 {
  let inside = (y < POOLED_Y) & (x < POOLED_X);
  let pixel = min(y, POOLED_Y - 1u) * POOLED_X + min(x, POOLED_X - 1u);
  let size = POOLED_Y * POOLED_X;
  let at = ((shape.FIRST_POOLED + image) * size + pixel) * 4u * FILTERS + o;
  var d: f32;
  if (HALF == 1u) {
    d = half(pooled[at / 2u], at) - norm.mean;
  } else {
    d = bitcast<f32>(pooled[at]) - norm.mean;
  }
  let from_ = ((shape.FIRST_GRADIENT + image) * size + pixel) * 4u * FILTERS + o;
  var g: f32;
  if (HALF_GRADIENT == 1u) {
    g = half(gradient[from_ / 2u], from_) * UNSCALE;
  } else {
    g = bitcast<f32>(gradient[from_]);
  }
  if (RELU == 1u) {
    g = select(g, 0.0, fma(d, norm.scale, norm.beta) <= 0.0);
  }
  return select(0.0, norm.scale * (g - norm.c1 - d * norm.c2), inside);
}

// Four channels c of each tap.
var<private> f00: vec4f;
var<private> f01: vec4f;
var<private> f02: vec4f;
var<private> f10: vec4f;
var<private> f11: vec4f;
var<private> f12: vec4f;
var<private> f20: vec4f;
var<private> f21: vec4f;
var<private> f22: vec4f;

// One window. `at`: its first pixel's upper left neighbor in copied. `place`: the position of the nonzero y in the
// window.
fn multiply(at: u32, place: u32, value: f32) {
  let from_ = at + 6u * (place / 2u) + place % 2u;
  let y = vec4f(value);
  f00 = fma(y, copied[from_], f00);
  f01 = fma(y, copied[from_ + 1u], f01);
  f02 = fma(y, copied[from_ + 2u], f02);
  f10 = fma(y, copied[from_ + 6u], f10);
  f11 = fma(y, copied[from_ + 7u], f11);
  f12 = fma(y, copied[from_ + 8u], f12);
  f20 = fma(y, copied[from_ + 12u], f20);
  f21 = fma(y, copied[from_ + 13u], f21);
  f22 = fma(y, copied[from_ + 14u], f22);
}

fn store(part: u32, tap: u32, c: u32, o: u32, value: vec4f) {
  let at = ((part * 9u + tap) * CHANNELS + c) * 4u * FILTERS + o;
  partial[at] = value.x;
  if (c + 1u < CHANNELS) {
    partial[at + 4u * FILTERS] = value.y;
  }
  if (c + 2u < CHANNELS) {
    partial[at + 8u * FILTERS] = value.z;
  }
  if (c + 3u < CHANNELS) {
    partial[at + 12u * FILTERS] = value.w;
  }
}

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) t: u32) {
  let lane = group.x * LANES + t % LANES;
  let o = min(lane, 4u * FILTERS - 1u);
  let own = t / LANES;
  let c = (group.y * SETS + own) * 4u;
  let part = group.z;
  let image = part / RUNS;
  let run = part % RUNS;
  let cells = CELLS_Y * CELLS_X;
  let statistics = (shape.FIRST + image) / GROUP;
  let at = statistics * 16u * FILTERS + o;
  let sums = statistics * 8u * FILTERS + o;
  let norm = Norm(
    affine[at], affine[at + 4u * FILTERS], affine[at + 8u * FILTERS],
    coefficients[sums], coefficients[sums + 4u * FILTERS],
  );
  let last = min((run + 1u) * RUN, cells);
  for (var cell = run * RUN; cell < last; cell++) {
    let y = 2u * (cell / CELLS_X);
    let x = 2u * (cell % CELLS_X);
    workgroupBarrier();
    for (var e = t; e < SETS * 36u; e += 64u) {
      let row = 2 * i32(y) - 1 + i32(e % 36u / 6u);
      let column = 2 * i32(x) - 1 + i32(e % 6u);
      copied[e] = load4(image, row, column, (group.y * SETS + e / 36u) * 4u, statistics * 4u * CHANNELS);
    }
    workgroupBarrier();
    let places = argmax[((shape.FIRST_POOLED + image) * cells + cell) * FILTERS + o / 4u] >> (2u * (o % 4u));
    let first = own * 36u;
    multiply(first, places & 3u, arriving(image, y, x, o, norm));
    multiply(first + 2u, (places >> 8u) & 3u, arriving(image, y, x + 1u, o, norm));
    multiply(first + 12u, (places >> 16u) & 3u, arriving(image, y + 1u, x, o, norm));
    multiply(first + 14u, (places >> 24u) & 3u, arriving(image, y + 1u, x + 1u, o, norm));
  }
  if ((lane < 4u * FILTERS) & (c < CHANNELS)) {
    store(part, 0u, c, o, f00);
    store(part, 1u, c, o, f01);
    store(part, 2u, c, o, f02);
    store(part, 3u, c, o, f10);
    store(part, 4u, c, o, f11);
    store(part, 5u, c, o, f12);
    store(part, 6u, c, o, f20);
    store(part, 7u, c, o, f21);
    store(part, 8u, c, o, f22);
  }
}
