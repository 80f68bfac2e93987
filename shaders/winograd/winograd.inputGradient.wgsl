// The input gradient from the gradients E of the transformed 6 x 6 patches: the sum of B E B' over the overlapping
// patches (the adjoint of winograd.input). Patches are 4 apart and start one row and column before their cell, so a
// pixel at a cell's edge also belongs to the first or last row (column) of a neighboring patch, which is E's own first
// or last:
//   row i of B' E:  0: e0   1: -3/2 e0 - e1 + e2 - 2 e3 + 1/2 e4 + e5   2: -2 e0 + 1/2 e1 - 5/2 e2 - e3 - e4 - 3/2 e5
//                   3: 3/2 e0 + 5/2 e1 + 1/2 e2 + 2 e3 - 1/2 e4 - 2 e5   4: e0 + e1 + e2 + e3 + e4 + 3/2 e5   5: e5
// A thread computes RUN tiles of 4 x 4 pixels of one image and four channels. With SUMS 1 the input was read through
// batch-norm and ReLU: the thread also adds the two sums of their backward pass (batchNorm.gradientSums). Extents are
// in a uniform, so that all layers share one pipeline.
struct Shape {
  HEIGHT: u32,
  WIDTH: u32,
  CHANNELS: u32, // vec4s
  CELLS_Y: u32, // cells in one image
  CELLS_X: u32,
  IMAGES: u32, // in this launch
  RUN: u32, // tiles per thread
  RUNS: u32, // threads per image (and vec4 of channels)
  FIRST_IN: u32, // the first image of this launch among those of x that are bound
  FIRST_OUT: u32, // among those of input_gradient
  FIRST: u32, // and in the whole batch
  GROUP: u32, // images that share statistics
  COUNT: u32, // threads: IMAGES * RUNS * CHANNELS
  ROW: u32, // threads in one row of the grid
}

override SUMS: u32 = 0u;
override RELU: u32 = 1u;
override HALF: u32 = 0u; // 1: x is packed float16
override HALF_GRADIENT: u32 = 0u; // 1: input_gradient is packed float16, multiplied by SCALE
override SCALE: f32 = 1.0;

@group(0) @binding(0) var<storage, read> product: array<vec4f>; // [36, cells, CHANNELS]
@group(0) @binding(1) var<storage, read> x: array<vec2u>;
// affine: [groups, 4, CHANNELS]: mean, scale, beta, 1 / deviation
@group(0) @binding(2) var<storage, read> affine: array<vec4f>;
@group(0) @binding(3) var<storage, read_write> input_gradient: array<vec2u>;
@group(0) @binding(4) var<storage, read_write> partial: array<vec4f>; // [images * RUNS, 2, CHANNELS]
@group(0) @binding(5) var<uniform> shape: Shape;

struct Norm { mean: vec4f, scale: vec4f, beta: vec4f, inverse: vec4f }

struct Four { a: vec4f, b: vec4f, c: vec4f, d: vec4f }

// The middle four rows of B' e; `before` and `after` are the neighbors' contributions to the first and the last.
fn transform(e0: vec4f, e1: vec4f, e2: vec4f, e3: vec4f, e4: vec4f, e5: vec4f, before: vec4f, after: vec4f) -> Four {
  let p = 1.5 * e0 + 2.0 * e3 - 0.5 * e4;
  return Four(
    before + e5 - p - e1 + e2,
    0.5 * e1 - 2.0 * e0 - 2.5 * e2 - e3 - e4 - 1.5 * e5,
    p + 2.5 * e1 + 0.5 * e2 - 2.0 * e5,
    after + e0 + e1 + e2 + e3 + e4 + 1.5 * e5,
  );
}

// B by columns: the contribution of each column of the transformed patch to the four pixels of a row, with the
// neighbors' last and first column before and after the patch's own six.
const weights = array<vec4f, 8>(
  vec4f(1.0, 0.0, 0.0, 0.0),
  vec4f(-1.5, -2.0, 1.5, 1.0), vec4f(-1.0, 0.5, 2.5, 1.0), vec4f(1.0, -2.5, 0.5, 1.0),
  vec4f(-2.0, -1.0, 2.0, 1.0), vec4f(0.5, -1.0, -0.5, 1.0), vec4f(1.0, -1.5, -2.0, 1.5),
  vec4f(0.0, 0.0, 0.0, 1.0),
);

// Four pixels of a row, to which each column adds its share. Columns are added in a loop: keeping all of them would
// take twice the registers, and unrolled a software adapter's compiler takes several times as long.
fn add(sum: Four, e: vec4f, weight: vec4f) -> Four {
  return Four(sum.a + weight.x * e, sum.b + weight.y * e, sum.c + weight.z * e, sum.d + weight.w * e);
}

fn load(image: u32, y: i32, x: i32, k: u32, c: u32) -> vec4f {
  let inside = (y >= 0) & (y < i32(shape.CELLS_Y)) & (x >= 0) & (x < i32(shape.CELLS_X));
  let cell = u32(clamp(y, 0, i32(shape.CELLS_Y) - 1)) * shape.CELLS_X + u32(clamp(x, 0, i32(shape.CELLS_X) - 1));
  let cells = shape.CELLS_Y * shape.CELLS_X;
  return select(vec4f(), product[((k * shape.IMAGES + image) * cells + cell) * shape.CHANNELS + c], inside);
}

fn column(image: u32, y: i32, x: i32, k: u32, c: u32) -> Four {
  return transform(
    load(image, y, x, k, c), load(image, y, x, k + 6u, c), load(image, y, x, k + 12u, c),
    load(image, y, x, k + 18u, c), load(image, y, x, k + 24u, c), load(image, y, x, k + 30u, c),
    load(image, y - 1, x, k + 30u, c), load(image, y + 1, x, k, c),
  );
}

var<private> s1: vec4f;
var<private> s2: vec4f;

// Clamps to the largest float16; keeps NaN, which clamp() may drop.
fn within_f16(x: vec4f) -> vec4f {
  return select(select(x, vec4f(-65504.0), x < vec4f(-65504.0)), vec4f(65504.0), x > vec4f(65504.0));
}

fn keep(image: u32, y: u32, x_: u32, c: u32, value: vec4f, norm: Norm) {
  if ((y < shape.HEIGHT) & (x_ < shape.WIDTH)) {
    let pixel = y * shape.WIDTH + x_;
    let at = ((shape.FIRST_OUT + image) * shape.HEIGHT * shape.WIDTH + pixel) * shape.CHANNELS + c;
    var seen = value;
    if (HALF_GRADIENT == 1u) {
      let scaled = within_f16(value * SCALE);
      let packed = vec2u(pack2x16float(scaled.xy), pack2x16float(scaled.zw));
      input_gradient[at] = packed;
      seen = vec4f(unpack2x16float(packed.x), unpack2x16float(packed.y)) / SCALE;
    } else {
      let bits = bitcast<vec4u>(value);
      input_gradient[2u * at] = bits.xy;
      input_gradient[2u * at + 1u] = bits.zw;
    }
    if (SUMS == 1u) {
      let from_ = ((shape.FIRST_IN + image) * shape.HEIGHT * shape.WIDTH + pixel) * shape.CHANNELS + c;
      var d: vec4f;
      if (HALF == 1u) {
        d = vec4f(unpack2x16float(x[from_].x), unpack2x16float(x[from_].y)) - norm.mean;
      } else {
        d = bitcast<vec4f>(vec4u(x[2u * from_], x[2u * from_ + 1u])) - norm.mean;
      }
      if (RELU == 1u) {
        seen = select(seen, vec4f(), fma(d, norm.scale, norm.beta) <= vec4f());
      }
      s1 += seen;
      s2 += seen * d * norm.inverse;
    }
  }
}

fn keep_row(image: u32, y: u32, left: u32, c: u32, r: Four, norm: Norm) {
  keep(image, y, left, c, r.a, norm);
  keep(image, y, left + 1u, c, r.b, norm);
  keep(image, y, left + 2u, c, r.c, norm);
  keep(image, y, left + 3u, c, r.d, norm);
}

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u) {
  let i = id.y * shape.ROW + id.x;
  if (i >= shape.COUNT) {
    return;
  }
  let c = i % shape.CHANNELS;
  let image = i / shape.CHANNELS / shape.RUNS;
  let run = i / shape.CHANNELS % shape.RUNS;
  var norm = Norm();
  if (SUMS == 1u) {
    let at = (shape.FIRST + image) / shape.GROUP * 4u * shape.CHANNELS + c;
    norm = Norm(affine[at], affine[at + shape.CHANNELS], affine[at + 2u * shape.CHANNELS], affine[at + 3u * shape.CHANNELS]);
  }
  let tiles_x = shape.WIDTH / 4u + u32(shape.WIDTH % 4u > 0u);
  let tiles = (shape.HEIGHT / 4u + u32(shape.HEIGHT % 4u > 0u)) * tiles_x;
  let last = min((run + 1u) * shape.RUN, tiles);
  for (var tile = run * shape.RUN; tile < last; tile++) {
    let y = i32(tile / tiles_x);
    let x = i32(tile % tiles_x);
    var r0 = Four();
    var r1 = Four();
    var r2 = Four();
    var r3 = Four();
    for (var j = 0; j < 8; j++) {
      let neighbor = i32(j == 7) - i32(j == 0);
      let e = column(image, y, x + neighbor, u32(select(j - 1, select(5, 0, j == 7), neighbor != 0)), c);
      let weight = weights[j];
      r0 = add(r0, e.a, weight);
      r1 = add(r1, e.b, weight);
      r2 = add(r2, e.c, weight);
      r3 = add(r3, e.d, weight);
    }
    let top = 4u * u32(y);
    let left = 4u * u32(x);
    for (var row = 0u; row < 4u; row++) {
      keep_row(image, top + row, left, c, r0, norm);
      r0 = r1;
      r1 = r2;
      r2 = r3;
    }
  }
  if (SUMS == 1u) {
    let at = ((shape.FIRST + image) * shape.RUNS + run) * 2u * shape.CHANNELS + c;
    partial[at] = s1;
    partial[at + shape.CHANNELS] = s2;
  }
}
