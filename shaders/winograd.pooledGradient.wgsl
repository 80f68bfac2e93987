// A y A' for each cell y of 4 x 4 elements of the convolution's output gradient: the gradient of the products of Winograd
// F(4x4, 3x3), the adjoint of winograd.pool: transformed[k, cell, o], k = 6 row + column. y is never stored: through the
// max-pool it is zero but for one element in each 2 x 2 window, and what arrives there went through batch-norm and ReLU,
//   scale (g - c1 - (z - mean) c2),  g = the gradient where scale (z - mean) + beta > 0, else 0,
// z being the pooled values. A thread takes one cell and four channels.
// What differs from layer to layer is read, so that all of them share one pipeline.
struct Shape {
  FILTERS: u32, // vec4s
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
override HALF_GRADIENT: u32 = 0u; // 1: gradient is packed float16, UNSCALE times too large
override UNSCALE: f32 = 1.0;

@group(0) @binding(0) var<storage, read> pooled: array<vec2u>;
@group(0) @binding(1) var<storage, read> argmax: array<u32>;
@group(0) @binding(2) var<storage, read> gradient: array<vec2u>;
@group(0) @binding(3) var<storage, read> affine: array<vec4f>; // [groups, 4, FILTERS]: mean, scale, beta, 1 / deviation
@group(0) @binding(4) var<storage, read> coefficients: array<vec4f>; // [groups, 2, FILTERS]: c1, c2
@group(0) @binding(5) var<storage, read_write> transformed: array<vec4f>;
@group(0) @binding(6) var<uniform> shape: Shape;

struct Norm { mean: vec4f, scale: vec4f, beta: vec4f, c1: vec4f, c2: vec4f }

// The gradient of one pooled value; 0 outside.
fn arriving(image: u32, y: u32, x: u32, o: u32, norm: Norm) -> vec4f {
  let inside = (y < shape.POOLED_Y) & (x < shape.POOLED_X);
  let pixel = min(y, shape.POOLED_Y - 1u) * shape.POOLED_X + min(x, shape.POOLED_X - 1u);
  let size = shape.POOLED_Y * shape.POOLED_X;
  let at = ((shape.FIRST_POOLED + image) * size + pixel) * shape.FILTERS + o;
  var d: vec4f;
  if (HALF == 1u) {
    d = vec4f(unpack2x16float(pooled[at].x), unpack2x16float(pooled[at].y)) - norm.mean;
  } else {
    d = bitcast<vec4f>(vec4u(pooled[2u * at], pooled[2u * at + 1u])) - norm.mean;
  }
  let from_ = ((shape.FIRST_GRADIENT + image) * size + pixel) * shape.FILTERS + o;
  var g: vec4f;
  if (HALF_GRADIENT == 1u) {
    g = vec4f(unpack2x16float(gradient[from_].x), unpack2x16float(gradient[from_].y)) * UNSCALE;
  } else {
    g = bitcast<vec4f>(vec4u(gradient[2u * from_], gradient[2u * from_ + 1u]));
  }
  if (RELU == 1u) {
    g = select(vec4f(), g, fma(d, norm.scale, norm.beta) > vec4f());
  }
  return select(vec4f(), norm.scale * (g - norm.c1 - d * norm.c2), inside);
}

struct Six { a: vec4f, b: vec4f, c: vec4f, d: vec4f, e: vec4f, f: vec4f }

fn transform(y0: vec4f, y1: vec4f, y2: vec4f, y3: vec4f) -> Six {
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
  transformed[at + k * shape.COUNT] = v.a;
  transformed[at + (k + 1u) * shape.COUNT] = v.b;
  transformed[at + (k + 2u) * shape.COUNT] = v.c;
  transformed[at + (k + 3u) * shape.COUNT] = v.d;
  transformed[at + (k + 4u) * shape.COUNT] = v.e;
  transformed[at + (k + 5u) * shape.COUNT] = v.f;
}

fn at_place(value: vec4f, place: vec4u, k: u32) -> vec4f {
  return select(vec4f(), value, place == vec4u(k));
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
  let places = (vec4u(argmax[shape.FIRST_POOLED * cells * shape.FILTERS + i]) >> vec4u(0u, 2u, 4u, 6u));
  let p0 = places & vec4u(3u);
  let p1 = (places >> vec4u(8u)) & vec4u(3u);
  let p2 = (places >> vec4u(16u)) & vec4u(3u);
  let p3 = (places >> vec4u(24u)) & vec4u(3u);
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
