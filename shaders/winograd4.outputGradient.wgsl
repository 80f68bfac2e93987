// A y A' for each cell y of 4 x 4 elements of the convolution's output gradient: the gradient of the products of Winograd
// F(4x4, 3x3), the adjoint of winograd4.pool: transformed[k, cell, o], k = 6 row + column. y is never stored: through the
// max-pool it is zero but for one element in each 2 x 2 window, and what arrives there went through batch-norm and ReLU,
//   scale (g - c1 - (z - mean) c2),  g = the gradient where scale (z - mean) + beta > 0, else 0,
// z being the pooled values. A thread takes one cell and four channels.
override FILTERS: u32; // vec4s
override POOLED_Y: u32;
override POOLED_X: u32;
override CELLS_Y: u32; // cells in one image
override CELLS_X: u32;
override FIRST_POOLED: u32; // the first image of this launch among those of pooled and argmax that are bound
override FIRST_GRADIENT: u32; // among those of gradient
override FIRST: u32 = 0u; // and in the whole batch
override GROUP: u32; // images that share statistics
override RELU: u32;
override HALF: u32 = 0u; // 1: pooled is packed float16
override HALF_GRADIENT: u32 = 0u; // 1: gradient is packed float16, UNSCALE times too large
override UNSCALE: f32 = 1.0;
override COUNT: u32; // threads: images * cells * FILTERS
override ROW: u32; // threads in one row of the grid

@group(0) @binding(0) var<storage, read> pooled: array<vec2u>;
@group(0) @binding(1) var<storage, read> argmax: array<u32>;
@group(0) @binding(2) var<storage, read> gradient: array<vec2u>;
@group(0) @binding(3) var<storage, read> affine: array<vec4f>; // [groups, 4, FILTERS]: mean, scale, beta, 1 / deviation
@group(0) @binding(4) var<storage, read> coefficients: array<vec4f>; // [groups, 2, FILTERS]: c1, c2
@group(0) @binding(5) var<storage, read_write> transformed: array<vec4f>;

struct Norm { mean: vec4f, scale: vec4f, beta: vec4f, c1: vec4f, c2: vec4f }

// The gradient of one pooled value; 0 outside.
fn arriving(image: u32, y: u32, x: u32, o: u32, norm: Norm) -> vec4f {
  let inside = (y < POOLED_Y) & (x < POOLED_X);
  let pixel = min(y, POOLED_Y - 1u) * POOLED_X + min(x, POOLED_X - 1u);
  let size = POOLED_Y * POOLED_X;
  let at = ((FIRST_POOLED + image) * size + pixel) * FILTERS + o;
  var d: vec4f;
  if (HALF == 1u) {
    d = vec4f(unpack2x16float(pooled[at].x), unpack2x16float(pooled[at].y)) - norm.mean;
  } else {
    d = bitcast<vec4f>(vec4u(pooled[2u * at], pooled[2u * at + 1u])) - norm.mean;
  }
  let from_ = ((FIRST_GRADIENT + image) * size + pixel) * FILTERS + o;
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
  transformed[at + k * COUNT] = v.a;
  transformed[at + (k + 1u) * COUNT] = v.b;
  transformed[at + (k + 2u) * COUNT] = v.c;
  transformed[at + (k + 3u) * COUNT] = v.d;
  transformed[at + (k + 4u) * COUNT] = v.e;
  transformed[at + (k + 5u) * COUNT] = v.f;
}

fn at_place(value: vec4f, place: vec4u, k: u32) -> vec4f {
  return select(vec4f(), value, place == vec4u(k));
}

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u) {
  let i = id.y * ROW + id.x;
  if (i >= COUNT) {
    return;
  }
  let o = i % FILTERS;
  let cell = i / FILTERS;
  let cells = CELLS_Y * CELLS_X;
  let image = cell / cells;
  let y = 2u * (cell % cells / CELLS_X);
  let x = 2u * (cell % CELLS_X);
  let group = (FIRST + image) / GROUP;
  let statistics = group * 4u * FILTERS + o;
  let sums = group * 2u * FILTERS + o;
  let norm = Norm(
    affine[statistics], affine[statistics + FILTERS], affine[statistics + 2u * FILTERS],
    coefficients[sums], coefficients[sums + FILTERS],
  );
  let w0 = arriving(image, y, x, o, norm);
  let w1 = arriving(image, y, x + 1u, o, norm);
  let w2 = arriving(image, y + 1u, x, o, norm);
  let w3 = arriving(image, y + 1u, x + 1u, o, norm);
  let places = (vec4u(argmax[FIRST_POOLED * cells * FILTERS + i]) >> vec4u(0u, 2u, 4u, 6u));
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
