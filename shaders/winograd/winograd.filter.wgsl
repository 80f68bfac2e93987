// U = G f G' for each 3 x 3 filter f of several convolutions (Winograd F(4x4, 3x3) over the points 0, 1, -1, 1/2, -2, the
// most accurate of Barabasz et al. 2020, "Error Analysis and Improving the Accuracy of Winograd Convolution"):
//   forward[k, c, o] and backward[k, o, c], k = 6 row + column.
// G = [1 0 0; 1/3 1/3 1/3; -1/3 1/3 -1/3; -16/15 -8/15 -4/15; 1/15 -2/15 4/15; 0 0 1]. One launch transforms the
// filters of all convolutions in one buffer. For each, the table has the first thread, the first element of the filter
// and of the result, and its channels. A thread transforms one filter.
override COUNT: u32; // threads: the sum of channels * filters
override ROW: u32; // threads in one row of the grid
override CONVOLUTIONS: u32;
override TURNED: u32 = 1u; // 0: no backward, if no gradients are needed

@group(0) @binding(0) var<storage, read> filters: array<f32>; // each [3, 3, C, O]
@group(0) @binding(1) var<storage, read> table: array<u32>; // [CONVOLUTIONS, 5]: thread, filter, result, C, O
@group(0) @binding(2) var<storage, read_write> forward: array<f32>; // each [36, C, O]
@group(0) @binding(3) var<storage, read_write> backward: array<f32>; // each [36, O, C]

struct Six { a: f32, b: f32, c: f32, d: f32, e: f32, f: f32 }

fn g(x: f32, y: f32, z: f32) -> Six {
  let s = x + z;
  return Six(x, (s + y) / 3.0, (y - s) / 3.0, (x + 0.5 * y + 0.25 * z) * (-16.0 / 15.0), (x - 2.0 * y + 4.0 * z) / 15.0, z);
}

fn store(k: u32, size: u32, forth: u32, back: u32, u: Six) {
  forward[forth + k * size] = u.a;
  forward[forth + (k + 1u) * size] = u.b;
  forward[forth + (k + 2u) * size] = u.c;
  forward[forth + (k + 3u) * size] = u.d;
  forward[forth + (k + 4u) * size] = u.e;
  forward[forth + (k + 5u) * size] = u.f;
  if (TURNED == 1u) {
    backward[back + k * size] = u.a;
    backward[back + (k + 1u) * size] = u.b;
    backward[back + (k + 2u) * size] = u.c;
    backward[back + (k + 3u) * size] = u.d;
    backward[back + (k + 4u) * size] = u.e;
    backward[back + (k + 5u) * size] = u.f;
  }
}

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u) {
  let i = id.y * ROW + id.x;
  if (i >= COUNT) {
    return;
  }
  var t = 0u;
  for (var n = 1u; n < CONVOLUTIONS; n++) {
    t = select(t, n, i >= table[5u * n]);
  }
  let pair = i - table[5u * t];
  let channels = table[5u * t + 3u];
  let count = table[5u * t + 4u];
  let size = channels * count;
  let at = table[5u * t + 1u] + pair;
  // Each column of the filter by G, then each row by G'.
  let x = g(filters[at], filters[at + 3u * size], filters[at + 6u * size]);
  let y = g(filters[at + size], filters[at + 4u * size], filters[at + 7u * size]);
  let z = g(filters[at + 2u * size], filters[at + 5u * size], filters[at + 8u * size]);
  let forth = table[5u * t + 2u] + pair;
  let back = table[5u * t + 2u] + pair % count * channels + pair / count;
  store(0u, size, forth, back, g(x.a, y.a, z.a));
  store(6u, size, forth, back, g(x.b, y.b, z.b));
  store(12u, size, forth, back, g(x.c, y.c, z.c));
  store(18u, size, forth, back, g(x.d, y.d, z.d));
  store(24u, size, forth, back, g(x.e, y.e, z.e));
  store(30u, size, forth, back, g(x.f, y.f, z.f));
}
