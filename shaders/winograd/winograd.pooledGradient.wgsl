// A y A' for each cell y of 4 x 4 elements of the convolution's output gradient: the gradient of the products of
// Winograd F(4x4, 3x3), the adjoint of winograd.pool: transformed[k, cell, o], k = 6 row + column. y is never stored:
// because of the max-pool it is zero except for one element per 2 x 2 window, and the gradient there went through
// batch-norm and ReLU,
//   scale (g - c1 - (z - mean) c2),  g = the gradient where scale (z - mean) + beta > 0, else 0,
// with the pooled values z. A thread computes one cell and two channels: with four a software adapter's compiler takes
// twice as long. Extents are in a uniform, so that all layers share one pipeline.
struct Shape {
  FILTERS: u32, // pairs
  POOLED_Y: u32,
  POOLED_X: u32,
  CELLS_Y: u32, // cells in one image
  CELLS_X: u32,
  FIRST_POOLED: u32, // the first image of this launch among those of pooled and argmax that are bound
  FIRST_GRADIENT: u32, // among those of gradient
  FIRST: u32, // and in the whole batch
  GROUP: u32, // images that share statistics
  COUNT: u32, // threads: images * cells * FILTERS
  ROW: u32, // threads in one row of the grid
}

override RELU: u32;
override HALF: u32 = 0u; // 1: pooled is packed float16
override HALF_GRADIENT: u32 = 0u; // 1: gradient is packed float16, to be divided by UNSCALE
override UNSCALE: f32 = 1.0;

@group(0) @binding(0) var<storage, read> pooled: array<u32>;
@group(0) @binding(1) var<storage, read> argmax: array<u32>;
@group(0) @binding(2) var<storage, read> gradient: array<u32>;
@group(0) @binding(3) var<storage, read> affine: array<vec2f>; // [groups, 4, FILTERS]: mean, scale, beta, 1 / deviation
@group(0) @binding(4) var<storage, read> coefficients: array<vec2f>; // [groups, 2, FILTERS]: c1, c2
@group(0) @binding(5) var<storage, read_write> transformed: array<vec2f>;
@group(0) @binding(6) var<uniform> shape: Shape;

struct Norm { mean: vec2f, scale: vec2f, beta: vec2f, c1: vec2f, c2: vec2f }

// The gradient of one pooled value; 0 outside.
fn arriving(image: u32, y: u32, x: u32, o: u32, norm: Norm) -> vec2f {
  let inside = (y < shape.POOLED_Y) & (x < shape.POOLED_X);
  let pixel = min(y, shape.POOLED_Y - 1u) * shape.POOLED_X + min(x, shape.POOLED_X - 1u);
  let size = shape.POOLED_Y * shape.POOLED_X;
  let at = ((shape.FIRST_POOLED + image) * size + pixel) * shape.FILTERS + o;
  var d: vec2f;
  if (HALF == 1u) {
    d = unpack2x16float(pooled[at]) - norm.mean;
  } else {
    d = bitcast<vec2f>(vec2u(pooled[2u * at], pooled[2u * at + 1u])) - norm.mean;
  }
  let from_ = ((shape.FIRST_GRADIENT + image) * size + pixel) * shape.FILTERS + o;
  var g: vec2f;
  if (HALF_GRADIENT == 1u) {
    g = unpack2x16float(gradient[from_]) * UNSCALE;
  } else {
    g = bitcast<vec2f>(vec2u(gradient[2u * from_], gradient[2u * from_ + 1u]));
  }
  if (RELU == 1u) {
    g = select(g, vec2f(), fma(d, norm.scale, norm.beta) <= vec2f());
  }
  return select(vec2f(), norm.scale * (g - norm.c1 - d * norm.c2), inside);
}

struct Six { a: vec2f, b: vec2f, c: vec2f, d: vec2f, e: vec2f, f: vec2f }

fn transform(y0: vec2f, y1: vec2f, y2: vec2f, y3: vec2f) -> Six {
  let even = y0 + y2;
  let odd = y1 + y3;
  return Six(
    y0,
    even + odd,
    even - odd,
    y0 + 0.5 * y1 + 0.25 * y2 + 0.125 * y3,
    y0 - 2.0 * y1 + 4.0 * y2 - 8.0 * y3,
    y3,
  );
}

fn store(at: u32, k: u32, v: Six) {
  let n = shape.COUNT;
  let to = at + k * n;
  transformed[to] = v.a;
  transformed[to + n] = v.b;
  transformed[to + 2u * n] = v.c;
  transformed[to + 3u * n] = v.d;
  transformed[to + 4u * n] = v.e;
  transformed[to + 5u * n] = v.f;
}

fn at_place(value: vec2f, place: vec2u, k: u32) -> vec2f {
  return select(vec2f(), value, place == vec2u(k));
}

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u) {
  let i = id.y * shape.ROW + id.x;
  if (i >= shape.COUNT) {
    return;
  }
  let o = i % shape.FILTERS;
  let cell = i / shape.FILTERS;
  let cells = shape.CELLS_Y * shape.CELLS_X;
  let image = cell / cells;
  let y = 2u * (cell % cells / shape.CELLS_X);
  let x = 2u * (cell % shape.CELLS_X);
  let group = (shape.FIRST + image) / shape.GROUP;
  let statistics = group * 4u * shape.FILTERS + o;
  let sums = group * 2u * shape.FILTERS + o;
  let norm = Norm(
    affine[statistics], affine[statistics + shape.FILTERS], affine[statistics + 2u * shape.FILTERS],
    coefficients[sums], coefficients[sums + shape.FILTERS],
  );
  let w0 = arriving(image, y, x, o, norm);
  let w1 = arriving(image, y, x + 1u, o, norm);
  let w2 = arriving(image, y + 1u, x, o, norm);
  let w3 = arriving(image, y + 1u, x + 1u, o, norm);
  let four = argmax[(shape.FIRST_POOLED * cells * shape.FILTERS + i) >> 1u] >> ((o & 1u) * 4u);
  let places = vec2u(four, four >> 2u);
  let p0 = places & vec2u(3u);
  let p1 = (places >> vec2u(8u)) & vec2u(3u);
  let p2 = (places >> vec2u(16u)) & vec2u(3u);
  let p3 = (places >> vec2u(24u)) & vec2u(3u);
  // Each column of y by A, then each row by A'.
  let c0 = transform(at_place(w0, p0, 0u), at_place(w0, p0, 2u), at_place(w2, p2, 0u), at_place(w2, p2, 2u));
  let c1 = transform(at_place(w0, p0, 1u), at_place(w0, p0, 3u), at_place(w2, p2, 1u), at_place(w2, p2, 3u));
  let c2 = transform(at_place(w1, p1, 0u), at_place(w1, p1, 2u), at_place(w3, p3, 0u), at_place(w3, p3, 2u));
  let c3 = transform(at_place(w1, p1, 1u), at_place(w1, p1, 3u), at_place(w3, p3, 1u), at_place(w3, p3, 3u));
  store(i, 0u, transform(c0.a, c1.a, c2.a, c3.a));
  store(i, 6u, transform(c0.b, c1.b, c2.b, c3.b));
  store(i, 12u, transform(c0.c, c1.c, c2.c, c3.c));
  store(i, 18u, transform(c0.d, c1.d, c2.d, c3.d));
  store(i, 24u, transform(c0.e, c1.e, c2.e, c3.e));
  store(i, 30u, transform(c0.f, c1.f, c2.f, c3.f));
}
