// G' P G for each pair of channels: the 3 x 3 filter gradient from the sums P over cells of Winograd F(4x4, 3x3), the
// adjoint of winograd.filter; the parts of the sums are added in their order.
override PARTS: u32;

// Extents are in a uniform, so that all layers share one pipeline.
struct Shape {
  COUNT: u32, // threads: vec4s of I * O
  ROW: u32, // threads in one row of the grid
}

@group(0) @binding(0) var<storage, read> product: array<vec4f>; // [PARTS, 36, I, O]
@group(0) @binding(1) var<storage, read_write> filter_gradient: array<vec4f>; // [3, 3, I, O]
@group(0) @binding(2) var<uniform> shape: Shape;

// G by rows: the contribution of each row (column) of P to the three rows (columns) of the filter. The rows are a loop:
// unrolled, the kernel takes compilers of software adapters several times as long.
const weights = array<vec3f, 6>(
  vec3f(1.0, 0.0, 0.0), vec3f(1.0, 1.0, 1.0) / 3.0, vec3f(-1.0, 1.0, -1.0) / 3.0,
  vec3f(-16.0, -8.0, -4.0) / 15.0, vec3f(1.0, -2.0, 4.0) / 15.0, vec3f(0.0, 0.0, 1.0),
);

struct Three { a: vec4f, b: vec4f, c: vec4f }

fn add(sum: Three, weight: f32, row: Three) -> Three {
  return Three(sum.a + weight * row.a, sum.b + weight * row.b, sum.c + weight * row.c);
}

fn store(i: u32, u: u32, f: Three, count: u32) {
  filter_gradient[i + 3u * u * count] = f.a;
  filter_gradient[i + (3u * u + 1u) * count] = f.b;
  filter_gradient[i + (3u * u + 2u) * count] = f.c;
}

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u) {
  let count = shape.COUNT;
  let i = id.y * shape.ROW + id.x;
  if (i >= count) {
    return;
  }
  var f0 = Three();
  var f1 = Three();
  var f2 = Three();
  for (var r = 0u; r < 6u; r++) {
    // The first part outside of the loop: with a single part, software adapters take half as long.
    let first = 6u * r * count + i;
    var p0 = product[first];
    var p1 = product[first + count];
    var p2 = product[first + 2u * count];
    var p3 = product[first + 3u * count];
    var p4 = product[first + 4u * count];
    var p5 = product[first + 5u * count];
    for (var part = 1u; part < PARTS; part++) {
      let at = first + part * 36u * count;
      p0 += product[at];
      p1 += product[at + count];
      p2 += product[at + 2u * count];
      p3 += product[at + 3u * count];
      p4 += product[at + 4u * count];
      p5 += product[at + 5u * count];
    }
    // Transforms the row by G, then adds its share to each row of the filter.
    let s = p1 / 3.0;
    let d = p2 / 3.0;
    let h = p3 * (-16.0 / 15.0);
    let m = p4 / 15.0;
    let row = Three(p0 + s - d + h + m, s + d + 0.5 * h - 2.0 * m, s - d + 0.25 * h + 4.0 * m + p5);
    let weight = weights[r];
    f0 = add(f0, weight.x, row);
    f1 = add(f1, weight.y, row);
    f2 = add(f2, weight.z, row);
  }
  store(i, 0u, f0, count);
  store(i, 1u, f1, count);
  store(i, 2u, f2, count);
}
