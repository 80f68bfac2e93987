// V = B' d B for each 6 x 6 patch d of x, patches 4 apart (Winograd F(4x4, 3x3); B as in winograd.filter's points):
// transformed[k, cell, c], k = 6 row + column. A cell is 4 x 4 outputs of the convolution; the patch starts PAD_Y rows
// and PAD_X columns before it. With NORMALIZED 1, x is read through the preceding batch-norm and ReLU, whose output is
// therefore never stored: d = max(0, scale (x - mean) + beta) inside the image, 0 outside.
//   B' = [1 -3/2 -2 3/2 1 0; 0 -1 1/2 5/2 1 0; 0 1 -5/2 1/2 1 0; 0 -2 -1 2 1 0; 0 1/2 -1 -1/2 1 0; 0 1 -3/2 -2 3/2 1]
// A thread transforms one patch of one channel: with two channels a software adapter's compiler takes twice as long.
// Extents are in a uniform, so that all layers share one pipeline.
struct Shape {
  HEIGHT: i32,
  WIDTH: i32,
  CHANNELS: u32,
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

override NORMALIZED: u32 = 0u;
override RELU: u32 = 1u;
override HALF: u32 = 0u; // 1: x is packed float16

@group(0) @binding(0) var<storage, read> x: array<u32>;
@group(0) @binding(1) var<storage, read> affine: array<f32>; // [groups, 4, CHANNELS]: mean, scale, beta, 1 / deviation
@group(0) @binding(2) var<storage, read_write> transformed: array<f32>;
@group(0) @binding(3) var<uniform> shape: Shape;

struct Six { a: f32, b: f32, c: f32, d: f32, e: f32, f: f32 }

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

// The normalization through which a thread reads x.
struct Norm { mean: f32, scale: f32, beta: f32 }

// The position of a patch's row or column in x, and whether it is inside the image.
struct Line { at: u32, inside: bool }

fn row_at(image: u32, y: i32, c: u32) -> Line {
  let at = (image * u32(shape.HEIGHT) + u32(clamp(y, 0, shape.HEIGHT - 1))) * u32(shape.WIDTH);
  return Line(at * shape.CHANNELS + c, (y >= 0) & (y < shape.HEIGHT));
}

fn column_at(x: i32) -> Line {
  return Line(u32(clamp(x, 0, shape.WIDTH - 1)) * shape.CHANNELS, (x >= 0) & (x < shape.WIDTH));
}

fn load(row: Line, column: Line, n: Norm) -> f32 {
  let at = row.at + column.at;
  var value: f32;
  if (HALF == 1u) {
    let both = unpack2x16float(x[at >> 1u]);
    value = select(both.x, both.y, (at & 1u) == 1u);
  } else {
    value = bitcast<f32>(x[at]);
  }
  if (NORMALIZED == 1u) {
    value = fma(value - n.mean, n.scale, n.beta);
    if (RELU == 1u) {
      value = select(value, 0.0, value < 0.0);
    }
  }
  return select(0.0, value, row.inside & column.inside);
}

struct Lines { a: Line, b: Line, c: Line, d: Line, e: Line, f: Line }

fn transformed_column(rows: Lines, column: Line, n: Norm) -> Six {
  return transform(Six(
    load(rows.a, column, n), load(rows.b, column, n), load(rows.c, column, n),
    load(rows.d, column, n), load(rows.e, column, n), load(rows.f, column, n),
  ));
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
  let first = shape.FIRST_IN + image;
  let rows = Lines(
    row_at(first, top, c), row_at(first, top + 1, c), row_at(first, top + 2, c),
    row_at(first, top + 3, c), row_at(first, top + 4, c), row_at(first, top + 5, c),
  );
  var n = Norm();
  if (NORMALIZED == 1u) {
    let at = (shape.FIRST + image) / shape.GROUP * 4u * shape.CHANNELS + c;
    n = Norm(affine[at], affine[at + shape.CHANNELS], affine[at + 2u * shape.CHANNELS]);
  }
  let c0 = transformed_column(rows, column_at(left), n);
  let c1 = transformed_column(rows, column_at(left + 1), n);
  let c2 = transformed_column(rows, column_at(left + 2), n);
  let c3 = transformed_column(rows, column_at(left + 3), n);
  let c4 = transformed_column(rows, column_at(left + 4), n);
  let c5 = transformed_column(rows, column_at(left + 5), n);
  store(i, 0u, transform(Six(c0.a, c1.a, c2.a, c3.a, c4.a, c5.a)));
  store(i, 6u, transform(Six(c0.b, c1.b, c2.b, c3.b, c4.b, c5.b)));
  store(i, 12u, transform(Six(c0.c, c1.c, c2.c, c3.c, c4.c, c5.c)));
  store(i, 18u, transform(Six(c0.d, c1.d, c2.d, c3.d, c4.d, c5.d)));
  store(i, 24u, transform(Six(c0.e, c1.e, c2.e, c3.e, c4.e, c5.e)));
  store(i, 30u, transform(Six(c0.f, c1.f, c2.f, c3.f, c4.f, c5.f)));
}
