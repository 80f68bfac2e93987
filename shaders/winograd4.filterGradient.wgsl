// G' P G for each pair of channels: the 3 x 3 filter gradient from the sums P over cells of Winograd F(4x4, 3x3), the
// adjoint of winograd4.filter; the parts of the sums are added in their order.
override PARTS: u32;
override COUNT: u32; // threads: vec4s of I * O
override ROW: u32; // threads in one row of the grid

@group(0) @binding(0) var<storage, read> product: array<vec4f>; // [PARTS, 36, I, O]
@group(0) @binding(1) var<storage, read_write> filter_gradient: array<vec4f>; // [3, 3, I, O]

struct Three { a: vec4f, b: vec4f, c: vec4f }

fn transform(p0: vec4f, p1: vec4f, p2: vec4f, p3: vec4f, p4: vec4f, p5: vec4f) -> Three {
  let s = p1 / 3.0;
  let d = p2 / 3.0;
  let h = p3 * (-16.0 / 15.0);
  let m = p4 / 15.0;
  return Three(p0 + s - d + h + m, s + d + 0.5 * h - 2.0 * m, s - d + 0.25 * h + 4.0 * m + p5);
}

fn load(i: u32, k: u32) -> vec4f {
  var sum = vec4f();
  for (var part = 0u; part < PARTS; part++) {
    sum += product[(part * 36u + k) * COUNT + i];
  }
  return sum;
}

fn row(i: u32, k: u32) -> Three {
  return transform(load(i, k), load(i, k + 1u), load(i, k + 2u), load(i, k + 3u), load(i, k + 4u), load(i, k + 5u));
}

fn store(i: u32, v: u32, f: Three) {
  filter_gradient[i + v * COUNT] = f.a;
  filter_gradient[i + (v + 3u) * COUNT] = f.b;
  filter_gradient[i + (v + 6u) * COUNT] = f.c;
}

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u) {
  let i = id.y * ROW + id.x;
  if (i >= COUNT) {
    return;
  }
  // Each row of P by G, then each column by G'.
  let r0 = row(i, 0u);
  let r1 = row(i, 6u);
  let r2 = row(i, 12u);
  let r3 = row(i, 18u);
  let r4 = row(i, 24u);
  let r5 = row(i, 30u);
  store(i, 0u, transform(r0.a, r1.a, r2.a, r3.a, r4.a, r5.a));
  store(i, 1u, transform(r0.b, r1.b, r2.b, r3.b, r4.b, r5.b));
  store(i, 2u, transform(r0.c, r1.c, r2.c, r3.c, r4.c, r5.c));
}
