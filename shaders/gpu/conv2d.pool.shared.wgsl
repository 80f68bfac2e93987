// The same as conv2d.pool through workgroup memory, for GPUs:
//   pooled[b, y, x, o] = bias[o] + max over r, s in 0..1 of
//     sum over u, v, c of x[b, 2y + r + u - 1, 2x + s + v - 1, c] filter[u, v, c, o]
// with the positions of the maxima and each run's moments. A workgroup is LANES threads over vec4s of channels o for
// each of PLACES runs of cells. A thread computes a cell in two halves, a row of two windows each: for each channel c 6
// vec4s of x from workgroup memory and 9 of the filter for 72 multiply-adds of vec4s. Copying x applies its format,
// batch-norm, ReLU and padding once for all channels o: the loop over c has no selects.
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
}

const LANES: u32 = 16; // threads over vec4s of channels o
const CHUNK: u32 = 8; // channels c copied at a time
const PLACES: u32 = 64u / LANES;
const PIXELS: u32 = 24; // of half a cell's copied: 4 x 6
const COPIES: u32 = (PLACES * PIXELS + 63u) / 64u; // pixels per thread

@group(0) @binding(0) var<storage, read> x: array<u32>;
@group(0) @binding(1) var<storage, read> affine: array<f32>; // [groups, 4, CHANNELS]: mean, scale, beta, 1 / deviation
@group(0) @binding(2) var<storage, read> filter_: array<vec4f>;
@group(0) @binding(3) var<storage, read> bias: array<vec4f>; // [FILTERS]; INFERENCE: [3, FILTERS] of batchNorm.fold
@group(0) @binding(4) var<storage, read_write> pooled: array<vec2u>;
@group(0) @binding(5) var<storage, read_write> argmax: array<u32>; // [cells, FILTERS]: see winograd.pool
// partial: [images * RUNS, 4, FILTERS]: count, first value, mean - first value, M2
@group(0) @binding(6) var<storage, read_write> partial: array<vec4f>;
@group(0) @binding(7) var<uniform> shape: Shape;

var<workgroup> copied: array<vec4f, PLACES * CHUNK * PIXELS / 4u>; // [PLACES, CHUNK, PIXELS]

const padding: u32 = 0xffffffffu;

// Index of a pixel's first channel in x.
fn find(image: u32, cell: u32, half: u32, q: u32) -> u32 {
  let row = i32(4u * (cell / CELLS_X) + 2u * half + q / 6u) - 1;
  let column = i32(4u * (cell % CELLS_X) + q % 6u) - 1;
  let inside = (row >= 0) & (row < HEIGHT) & (column >= 0) & (column < WIDTH);
  return select(padding, u32((i32(shape.FIRST_IN + image) * HEIGHT + row) * WIDTH + column) * CHANNELS, inside);
}

// One channel of a pixel.
fn load(pixel: u32, c: u32, statistics: u32) -> f32 {
  let at = select(pixel, 0u, pixel == padding) + c;
  var value: f32;
  if (FORMAT == 2u) {
    value = f32((x[at / 4u] >> (8u * (at % 4u))) & 255u) / 255.0;
  } else if (FORMAT == 1u) {
    value = unpack2x16float(x[at / 2u] >> (16u * (at % 2u))).x;
  } else {
    value = bitcast<f32>(x[at]);
  }
  if (NORMALIZED == 1u) {
    let from_ = statistics + c;
    value = fma(value - affine[from_], affine[from_ + CHANNELS], affine[from_ + 2u * CHANNELS]);
    if (RELU == 1u) {
      value = select(value, 0.0, value < 0.0);
    }
  }
  return select(value, 0.0, pixel == padding);
}

// Four outputs of one row, four channels each.
struct Four { a: vec4f, b: vec4f, c: vec4f, d: vec4f }

fn multiply(sum: Four, a: f32, b: f32, c: f32, d: f32, e: f32, f: f32, f0: vec4f, f1: vec4f, f2: vec4f) -> Four {
  return Four(
    fma(vec4f(c), f2, fma(vec4f(b), f1, fma(vec4f(a), f0, sum.a))),
    fma(vec4f(d), f2, fma(vec4f(c), f1, fma(vec4f(b), f0, sum.b))),
    fma(vec4f(e), f2, fma(vec4f(d), f1, fma(vec4f(c), f0, sum.c))),
    fma(vec4f(f), f2, fma(vec4f(e), f1, fma(vec4f(d), f0, sum.d))),
  );
}

struct Maximum { value: vec4f, places: u32 }

// NaN is the largest, and the last NaN counts, as in PyTorch. The test uses the bits: WGSL lets a compiler assume that
// no float is NaN.
fn exceeds(b: vec4f, a: vec4f) -> vec4<bool> {
  return (b > a) | ((bitcast<vec4i>(b) & vec4i(0x7fffffff)) > vec4i(0x7f800000));
}

// With the positions for four channels, two bits each.
fn maximum(a: vec4f, b: vec4f, c: vec4f, d: vec4f) -> Maximum {
  let second = exceeds(b, a);
  let ab = select(a, b, second);
  let third = exceeds(c, ab);
  let abc = select(ab, c, third);
  let fourth = exceeds(d, abc);
  var where_ = select(vec4u(), vec4u(1u), second);
  where_ = select(where_, vec4u(2u), third);
  where_ = select(where_, vec4u(3u), fourth);
  return Maximum(select(abc, d, fourth), where_.x | (where_.y << 2u) | (where_.z << 4u) | (where_.w << 6u));
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
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) t: u32) {
  let o = group.x * LANES + t % LANES;
  let column = min(o, FILTERS - 1u);
  let image = group.z;
  let place = t / LANES;
  let run = group.y * PLACES + place;
  let cells = CELLS_Y * CELLS_X;
  let offset = select(vec4f(), bias[column], BIAS == 1u);
  if (INFERENCE == 1u) {
    scale = bias[FILTERS + column];
    shift = bias[2u * FILTERS + column];
  }
  let statistics = (shape.FIRST + image) / GROUP * 4u * CHANNELS;
  let step = CHANNELS * FILTERS;
  for (var k = 0u; k < shape.RUN; k++) {
    let cell = run * shape.RUN + k;
    let inside = (o < FILTERS) & (run < shape.RUNS) & (cell < cells);
    let y = 2u * (cell / CELLS_X);
    let x = 2u * (cell % CELLS_X);
    var places = 0u;
    for (var half = 0u; half < min(2u, POOLED_Y); half++) {
      var pixels: array<u32, COPIES>;
      for (var i = 0u; i < COPIES; i++) {
        let p = i * 64u + t;
        let from_ = (group.y * PLACES + p / PIXELS) * shape.RUN + k;
        pixels[i] = find(image, min(from_, cells - 1u), half, p % PIXELS);
      }
      var upper = Four();
      var lower = Four();
      for (var first = 0u; first < CHANNELS; first += CHUNK) {
        workgroupBarrier();
        for (var i = 0u; i < COPIES; i++) {
          let p = i * 64u + t;
          if (p < PLACES * PIXELS) {
            for (var c = 0u; c < CHUNK; c++) {
              let to = (p / PIXELS * CHUNK + c) * PIXELS + p % PIXELS;
              copied[to / 4u][to % 4u] = load(pixels[i], min(first + c, CHANNELS - 1u), statistics);
            }
          }
        }
        workgroupBarrier();
        let end = min(CHUNK, CHANNELS - first);
        var at = first * FILTERS + column;
        for (var c = 0u; c < end; c++) {
          let from_ = (place * CHUNK + c) * (PIXELS / 4u);
          let p0 = copied[from_];
          let p1 = copied[from_ + 1u];
          let p2 = copied[from_ + 2u];
          var f0 = filter_[at];
          var f1 = filter_[at + step];
          var f2 = filter_[at + 2u * step];
          upper = multiply(upper, p0.x, p0.y, p0.z, p0.w, p1.x, p1.y, f0, f1, f2);
          lower = multiply(lower, p1.z, p1.w, p2.x, p2.y, p2.z, p2.w, f0, f1, f2);
          let p3 = copied[from_ + 3u];
          let p4 = copied[from_ + 4u];
          f0 = filter_[at + 3u * step];
          f1 = filter_[at + 4u * step];
          f2 = filter_[at + 5u * step];
          upper = multiply(upper, p1.z, p1.w, p2.x, p2.y, p2.z, p2.w, f0, f1, f2);
          lower = multiply(lower, p3.x, p3.y, p3.z, p3.w, p4.x, p4.y, f0, f1, f2);
          let p5 = copied[from_ + 5u];
          f0 = filter_[at + 6u * step];
          f1 = filter_[at + 7u * step];
          f2 = filter_[at + 8u * step];
          upper = multiply(upper, p3.x, p3.y, p3.z, p3.w, p4.x, p4.y, f0, f1, f2);
          lower = multiply(lower, p4.z, p4.w, p5.x, p5.y, p5.z, p5.w, f0, f1, f2);
          at += FILTERS;
        }
      }
      let m0 = maximum(upper.a, upper.b, lower.a, lower.b);
      let m1 = maximum(upper.c, upper.d, lower.c, lower.d);
      if (inside) {
        keep(image, y + half, x, o, m0.value + offset);
        keep(image, y + half, x + 1u, o, m1.value + offset);
      }
      places |= (m0.places | (m1.places << 8u)) << (16u * half);
    }
    if (inside & (INFERENCE == 0u)) {
      argmax[((shape.FIRST_OUT + image) * cells + cell) * FILTERS + o] = places;
    }
  }
  if ((STATISTICS == 1u) & (o < FILTERS) & (run < shape.RUNS)) {
    let at = ((shape.FIRST + image) * shape.RUNS + run) * 4u * FILTERS + o;
    let count = max(n, 1.0);
    partial[at] = vec4f(n);
    partial[at + FILTERS] = origin;
    partial[at + 2u * FILTERS] = s1 / count;
    partial[at + 3u * FILTERS] = s2 - s1 * s1 / count;
  }
}
