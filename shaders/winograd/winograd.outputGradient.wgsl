// A g A' for each cell g of 4 x 4 elements of a convolution's output gradient: the gradient of the products of Winograd
// F(4x4, 3x3), the adjoint of winograd.output. transformed[k, cell, o], k = 6 row + column; outside of the image g is
// 0.
//   A' as in winograd.output
// A thread transforms one cell of two channels (four would leave a GPU too few registers). Extents are in a uniform, so
// that all layers share one pipeline.
struct Shape {
  FILTERS: u32, // pairs
  HEIGHT: u32, // of the output
  WIDTH: u32,
  CELLS_Y: u32, // cells in one image
  CELLS_X: u32,
  COUNT: u32, // threads: images * cells * FILTERS
  ROW: u32, // threads in one row of the grid
}

@group(0) @binding(0) var<storage, read> gradient: array<vec2f>;
@group(0) @binding(1) var<storage, read_write> transformed: array<vec2f>;
@group(0) @binding(2) var<uniform> shape: Shape;

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

fn load(at: u32, y: u32, x: u32) -> vec2f {
  let inside = (y < shape.HEIGHT) & (x < shape.WIDTH);
  let pixel = min(y, shape.HEIGHT - 1u) * shape.WIDTH + min(x, shape.WIDTH - 1u);
  return select(vec2f(), gradient[at + pixel * shape.FILTERS], inside);
}

fn column(at: u32, y: u32, x: u32) -> Six {
  return transform(load(at, y, x), load(at, y + 1u, x), load(at, y + 2u, x), load(at, y + 3u, x));
}

fn store(at: u32, k: u32, v: Six) {
  transformed[at + k * shape.COUNT] = v.a;
  transformed[at + (k + 1u) * shape.COUNT] = v.b;
  transformed[at + (k + 2u) * shape.COUNT] = v.c;
  transformed[at + (k + 3u) * shape.COUNT] = v.d;
  transformed[at + (k + 4u) * shape.COUNT] = v.e;
  transformed[at + (k + 5u) * shape.COUNT] = v.f;
}

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u) {
  let i = id.y * shape.ROW + id.x;
  if (i >= shape.COUNT) {
    return;
  }
  let o = i % shape.FILTERS;
  let cell = i / shape.FILTERS;
  let line = cell / shape.CELLS_X;
  let at = line / shape.CELLS_Y * shape.HEIGHT * shape.WIDTH * shape.FILTERS + o;
  let y = 4u * (line % shape.CELLS_Y);
  let x = 4u * (cell % shape.CELLS_X);
  let c0 = column(at, y, x);
  let c1 = column(at, y, x + 1u);
  let c2 = column(at, y, x + 2u);
  let c3 = column(at, y, x + 3u);
  store(i, 0u, transform(c0.a, c1.a, c2.a, c3.a));
  store(i, 6u, transform(c0.b, c1.b, c2.b, c3.b));
  store(i, 12u, transform(c0.c, c1.c, c2.c, c3.c));
  store(i, 18u, transform(c0.d, c1.d, c2.d, c3.d));
  store(i, 24u, transform(c0.e, c1.e, c2.e, c3.e));
  store(i, 30u, transform(c0.f, c1.f, c2.f, c3.f));
}
