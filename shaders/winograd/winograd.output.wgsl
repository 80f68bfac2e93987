// A' M A + bias for each 6 x 6 tile M of products (Winograd F(4x4, 3x3)): the 4 x 4 outputs of that cell, cropped at
// the image's edge.
//   A' = [1 1 1 1 1 0; 0 1 -1 1/2 -2 0; 0 1 1 1/4 4 0; 0 1 -1 1/8 -8 1]
// A thread computes one cell of four channels. Extents are in a uniform, so that all layers share one pipeline.
struct Shape {
  FILTERS: u32, // vec4s
  HEIGHT: u32, // of the output
  WIDTH: u32,
  CELLS_Y: u32, // cells in one image
  CELLS_X: u32,
  COUNT: u32, // threads: images * cells * FILTERS
  ROW: u32, // threads in one row of the grid
}

override BIAS: u32 = 0u; // 1: add it

@group(0) @binding(0) var<storage, read> product: array<vec4f>; // [36, cells, FILTERS]
@group(0) @binding(1) var<storage, read> bias: array<vec4f>;
@group(0) @binding(2) var<storage, read_write> output: array<vec4f>;
@group(0) @binding(3) var<uniform> shape: Shape;

struct Four { a: vec4f, b: vec4f, c: vec4f, d: vec4f }

fn column(i: u32, k: u32) -> Four {
  let m0 = product[i + k * shape.COUNT];
  let m1 = product[i + (k + 6u) * shape.COUNT];
  let m2 = product[i + (k + 12u) * shape.COUNT];
  let m3 = product[i + (k + 18u) * shape.COUNT];
  let m4 = product[i + (k + 24u) * shape.COUNT];
  let m5 = product[i + (k + 30u) * shape.COUNT];
  let s = m1 + m2;
  let d = m1 - m2;
  return Four(
    m0 + s + m3 + m4,
    d + 0.5 * m3 - 2.0 * m4,
    s + 0.25 * m3 + 4.0 * m4,
    d + 0.125 * m3 - 8.0 * m4 + m5,
  );
}

// A' by columns: the contribution of each column of M to the four outputs of a row; see winograd.pool.
const weights = array<vec4f, 6>(
  vec4f(1.0, 0.0, 0.0, 0.0), vec4f(1.0, 1.0, 1.0, 1.0), vec4f(1.0, -1.0, 1.0, -1.0),
  vec4f(1.0, 0.5, 0.25, 0.125), vec4f(1.0, -2.0, 4.0, -8.0), vec4f(0.0, 0.0, 0.0, 1.0),
);

fn add(sum: Four, m: vec4f, weight: vec4f) -> Four {
  return Four(sum.a + weight.x * m, sum.b + weight.y * m, sum.c + weight.z * m, sum.d + weight.w * m);
}

fn store(at: u32, y: u32, x: u32, value: vec4f) {
  if ((y < shape.HEIGHT) & (x < shape.WIDTH)) {
    output[at + (y * shape.WIDTH + x) * shape.FILTERS] = value;
  }
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
  var r0 = Four();
  var r1 = Four();
  var r2 = Four();
  var r3 = Four();
  for (var j = 0u; j < 6u; j++) {
    let m = column(i, j);
    let weight = weights[j];
    r0 = add(r0, m.a, weight);
    r1 = add(r1, m.b, weight);
    r2 = add(r2, m.c, weight);
    r3 = add(r3, m.d, weight);
  }
  let offset = select(vec4f(), bias[o], BIAS == 1u);
  let at = line / shape.CELLS_Y * shape.HEIGHT * shape.WIDTH * shape.FILTERS + o;
  let left = 4u * (cell % shape.CELLS_X);
  let top = 4u * (line % shape.CELLS_Y);
  for (var row = 0u; row < 4u; row++) {
    store(at, top + row, left, r0.a + offset);
    store(at, top + row, left + 1u, r0.b + offset);
    store(at, top + row, left + 2u, r0.c + offset);
    store(at, top + row, left + 3u, r0.d + offset);
    r0 = r1;
    r1 = r2;
    r2 = r3;
  }
}
