// A' M A + bias for each 6 x 6 tile M of products (Winograd F(4x4, 3x3)): a cell of 4 x 4 outputs. Only the maxima of
// its four 2 x 2 windows and their positions are stored; the convolution's own output is never stored.
//   A' = [1 1 1 1 1 0; 0 1 -1 1/2 -2 0; 0 1 1 1/4 4 0; 0 1 -1 1/8 -8 1]
// For batch-norm it also writes mean and sum of squared deviations (M2) of each channel over the thread's cells,
// relative to the first value, so that a large mean costs no digits. A thread computes RUN cells of one image, four
// channels. argmax has 2 bits per maximum, 2 row + column of the first maximum in row-major order: bit 8 window + 2
// channel. Extents are in a uniform, so that all layers share one pipeline.
struct Shape {
  FILTERS: u32, // vec4s
  POOLED_Y: u32,
  POOLED_X: u32,
  CELLS_Y: u32, // cells in one image
  CELLS_X: u32,
  RUN: u32, // cells per thread
  RUNS: u32, // threads per image (and vec4 of channels)
  FIRST_OUT: u32, // the first image of this launch among those bound
  FIRST: u32, // and in the whole batch
  COUNT: u32, // threads: images * RUNS * FILTERS
  ROW: u32, // threads in one row of the grid
}

override BIAS: u32 = 0u; // 1: add it
override STATISTICS: u32 = 0u; // 1: write partial
override HALF: u32 = 0u; // 1: pooled is packed float16
override INFERENCE: u32 = 0u; // 1: pooled is the normalized maxima; no other output
override OUTPUT_RELU: u32 = 0u;

@group(0) @binding(0) var<storage, read> product: array<vec4f>; // [36, cells, FILTERS]
@group(0) @binding(1) var<storage, read> bias: array<vec4f>; // [FILTERS]; INFERENCE: [3, FILTERS] of batchNorm.fold
@group(0) @binding(2) var<storage, read_write> pooled: array<vec2u>;
@group(0) @binding(3) var<storage, read_write> argmax: array<u32>; // [cells, FILTERS]
// partial: [images * RUNS, 4, FILTERS]: count, first value, mean - first value, M2
@group(0) @binding(4) var<storage, read_write> partial: array<vec4f>;
@group(0) @binding(5) var<uniform> shape: Shape;

struct Four { a: vec4f, b: vec4f, c: vec4f, d: vec4f }

fn transform(m0: vec4f, m1: vec4f, m2: vec4f, m3: vec4f, m4: vec4f, m5: vec4f) -> Four {
  let s = m1 + m2;
  let d = m1 - m2;
  return Four(
    m0 + s + m3 + m4,
    d + 0.5 * m3 - 2.0 * m4,
    s + 0.25 * m3 + 4.0 * m4,
    d + 0.125 * m3 - 8.0 * m4 + m5,
  );
}

fn column(at: u32, k: u32, step: u32) -> Four {
  return transform(
    product[at + k * step], product[at + (k + 6u) * step], product[at + (k + 12u) * step],
    product[at + (k + 18u) * step], product[at + (k + 24u) * step], product[at + (k + 30u) * step],
  );
}

// A' by columns: the contribution of each column of M to the four outputs of a row.
const weights = array<vec4f, 6>(
  vec4f(1.0, 0.0, 0.0, 0.0), vec4f(1.0, 1.0, 1.0, 1.0), vec4f(1.0, -1.0, 1.0, -1.0),
  vec4f(1.0, 0.5, 0.25, 0.125), vec4f(1.0, -2.0, 4.0, -8.0), vec4f(0.0, 0.0, 0.0, 1.0),
);

// Four outputs of a row, to which each column adds its share; see winograd.inputGradient for the loop over the columns.
fn add(sum: Four, m: vec4f, weight: vec4f) -> Four {
  return Four(sum.a + weight.x * m, sum.b + weight.y * m, sum.c + weight.z * m, sum.d + weight.w * m);
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
  if ((y < shape.POOLED_Y) & (x < shape.POOLED_X)) {
    let at = (((shape.FIRST_OUT + image) * shape.POOLED_Y + y) * shape.POOLED_X + x) * shape.FILTERS + o;
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
  let o = i % shape.FILTERS;
  let image = i / shape.FILTERS / shape.RUNS;
  let run = i / shape.FILTERS % shape.RUNS;
  let cells = shape.CELLS_Y * shape.CELLS_X;
  let step = shape.COUNT / shape.RUNS * cells;
  let last = min((run + 1u) * shape.RUN, cells);
  let offset = select(vec4f(), bias[o], BIAS == 1u);
  if (INFERENCE == 1u) {
    scale = bias[shape.FILTERS + o];
    shift = bias[2u * shape.FILTERS + o];
  }
  for (var cell = run * shape.RUN; cell < last; cell++) {
    let at = (image * cells + cell) * shape.FILTERS + o;
    var r0 = Four();
    var r1 = Four();
    var r2 = Four();
    var r3 = Four();
    for (var j = 0u; j < 6u; j++) {
      let m = column(at, j, step);
      let weight = weights[j];
      r0 = add(r0, m.a, weight);
      r1 = add(r1, m.b, weight);
      r2 = add(r2, m.c, weight);
      r3 = add(r3, m.d, weight);
    }
    let y = 2u * (cell / shape.CELLS_X);
    let x = 2u * (cell % shape.CELLS_X);
    let m0 = maximum(r0.a, r0.b, r1.a, r1.b);
    let m1 = maximum(r0.c, r0.d, r1.c, r1.d);
    let m2 = maximum(r2.a, r2.b, r3.a, r3.b);
    let m3 = maximum(r2.c, r2.d, r3.c, r3.d);
    keep(image, y, x, o, m0.value + offset);
    keep(image, y, x + 1u, o, m1.value + offset);
    keep(image, y + 1u, x, o, m2.value + offset);
    keep(image, y + 1u, x + 1u, o, m3.value + offset);
    let where_ = m0.where_ | (m1.where_ << vec4u(8u)) | (m2.where_ << vec4u(16u)) | (m3.where_ << vec4u(24u));
    if (INFERENCE == 0u) {
      argmax[((shape.FIRST_OUT + image) * cells + cell) * shape.FILTERS + o] =
        where_.x | (where_.y << 2u) | (where_.z << 4u) | (where_.w << 6u);
    }
  }
  if (STATISTICS == 1u) {
    let at = ((shape.FIRST + image) * shape.RUNS + run) * 4u * shape.FILTERS + o;
    let count = max(n, 1.0);
    partial[at] = vec4f(n);
    partial[at + shape.FILTERS] = origin;
    partial[at + 2u * shape.FILTERS] = s1 / count;
    partial[at + 3u * shape.FILTERS] = s2 - s1 * s1 / count;
  }
}
