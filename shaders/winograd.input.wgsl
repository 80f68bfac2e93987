// V = B' d B for each 6 x 6 patch d of x, patches 4 apart (Winograd F(4x4, 3x3); B as in winograd.filter's points):
// transformed[k, cell, c], k = 6 row + column. A cell is 4 x 4 outputs of the convolution; the patch begins PAD_Y
// rows and PAD_X columns before it. With NORMALISED 1, x is read through the batch-norm and ReLU that stand before the
// convolution, which are therefore never stored: d = max(0, scale (x - mean) + beta) inside the image, 0 outside.
//   B' = [1 -3/2 -2 3/2 1 0; 0 -1 1/2 5/2 1 0; 0 1 -5/2 1/2 1 0; 0 -2 -1 2 1 0; 0 1/2 -1 -1/2 1 0; 0 1 -3/2 -2 3/2 1]
// A thread transforms one patch of two channels (36 values; four channels would leave a GPU too few registers).
// What differs from layer to layer is read, so that all of them share one pipeline.
struct Shape {
  HEIGHT: i32,
  WIDTH: i32,
  CHANNELS: u32, // pairs
  CELLS_Y: u32, // cells in one image
  CELLS_X: u32,
  PAD_Y: i32,
  PAD_X: i32,
  FIRST_IN: u32, // the first image of this launch among those bound
  FIRST: u32, // and in the whole batch
  GROUP: u32, // images that share statistics
  COUNT: u32, // threads: images * cells * CHANNELS
  ROW: u32, // threads in one row of the grid
}

override NORMALISED: u32 = 0u;
override RELU: u32 = 1u;
override HALF: u32 = 0u; // 1: x is packed float16

@group(0) @binding(0) var<storage, read> x: array<vec2u>;
@group(0) @binding(1) var<storage, read> affine: array<vec2f>; // [groups, 4, CHANNELS]: mean, scale, beta, 1 / deviation
@group(0) @binding(2) var<storage, read_write> transformed: array<vec2f>;
@group(0) @binding(3) var<uniform> shape: Shape;

struct Six { a: vec2f, b: vec2f, c: vec2f, d: vec2f, e: vec2f, f: vec2f }

fn transform(d: Six) -> Six {
  let p = d.d - d.b;
  let q = d.e - d.c;
  return Six(
    d.a + d.e + 1.5 * p - 2.0 * d.c,
    d.e - d.b + 0.5 * d.c + 2.5 * d.d,
    d.e + d.b - 2.5 * d.c + 0.5 * d.d,
    q + 2.0 * p,
    q - 0.5 * p,
    d.b + d.f + 1.5 * q - 2.0 * d.d,
  );
}

// What a thread reads x through.
struct Source { image: i32, c: u32, mean: vec2f, scale: vec2f, beta: vec2f }

fn load(s: Source, row: i32, column: i32) -> vec2f {
  let inside = (row >= 0) & (row < shape.HEIGHT) & (column >= 0) & (column < shape.WIDTH);
  let pixel = (s.image * shape.HEIGHT + clamp(row, 0, shape.HEIGHT - 1)) * shape.WIDTH + clamp(column, 0, shape.WIDTH - 1);
  let at = u32(pixel) * shape.CHANNELS + s.c;
  var value: vec2f;
  if (HALF == 1u) {
    let both = x[at / 2u];
    value = unpack2x16float(select(both.x, both.y, at % 2u == 1u));
  } else {
    value = bitcast<vec2f>(x[at]);
  }
  if (NORMALISED == 1u) {
    value = fma(value - s.mean, s.scale, s.beta);
    if (RELU == 1u) {
      value = max(value, vec2f());
    }
  }
  return select(vec2f(), value, inside);
}

fn column(s: Source, top: i32, left: i32) -> Six {
  return transform(Six(
    load(s, top, left), load(s, top + 1, left), load(s, top + 2, left),
    load(s, top + 3, left), load(s, top + 4, left), load(s, top + 5, left),
  ));
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
  let c = i % shape.CHANNELS;
  let cell = i / shape.CHANNELS;
  let line = cell / shape.CELLS_X;
  let image = line / shape.CELLS_Y;
  let top = 4 * i32(line % shape.CELLS_Y) - shape.PAD_Y;
  let left = 4 * i32(cell % shape.CELLS_X) - shape.PAD_X;
  var s = Source(i32(shape.FIRST_IN + image), c, vec2f(), vec2f(), vec2f());
  if (NORMALISED == 1u) {
    let at = (shape.FIRST + image) / shape.GROUP * 4u * shape.CHANNELS + c;
    s.mean = affine[at];
    s.scale = affine[at + shape.CHANNELS];
    s.beta = affine[at + 2u * shape.CHANNELS];
  }
  let c0 = column(s, top, left);
  let c1 = column(s, top, left + 1);
  let c2 = column(s, top, left + 2);
  let c3 = column(s, top, left + 3);
  let c4 = column(s, top, left + 4);
  let c5 = column(s, top, left + 5);
  store(i, 0u, transform(Six(c0.a, c1.a, c2.a, c3.a, c4.a, c5.a)));
  store(i, 6u, transform(Six(c0.b, c1.b, c2.b, c3.b, c4.b, c5.b)));
  store(i, 12u, transform(Six(c0.c, c1.c, c2.c, c3.c, c4.c, c5.c)));
  store(i, 18u, transform(Six(c0.d, c1.d, c2.d, c3.d, c4.d, c5.d)));
  store(i, 24u, transform(Six(c0.e, c1.e, c2.e, c3.e, c4.e, c5.e)));
  store(i, 30u, transform(Six(c0.f, c1.f, c2.f, c3.f, c4.f, c5.f)));
}
