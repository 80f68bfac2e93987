// U = G f G' for each 3 x 3 filter f (Winograd F(2x2, 3x3)): transformed[k, c, o], k = 4 row + column. With FLIP 1 the
// filter is turned by half a turn and its channels are swapped, transformed[k, o, c]: that of the input gradient.
// G = [1 0 0; 1/2 1/2 1/2; 1/2 -1/2 1/2; 0 0 1].
override CHANNELS: u32;
override FILTERS: u32;
override FLIP: u32;
override COUNT: u32; // threads: CHANNELS * FILTERS
override ROW: u32; // threads in one row of the grid

@group(0) @binding(0) var<storage, read> filter_: array<f32>;
@group(0) @binding(1) var<storage, read_write> transformed: array<f32>;

fn row(a: f32, b: f32, c: f32) -> vec4f {
  return vec4f(a, 0.5 * (a + b + c), 0.5 * (a - b + c), c);
}

fn store(at: u32, y: vec4f) {
  transformed[at] = y.x;
  transformed[at + COUNT] = y.y;
  transformed[at + 2u * COUNT] = y.z;
  transformed[at + 3u * COUNT] = y.w;
}

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u) {
  let i = id.y * ROW + id.x;
  if (i >= COUNT) {
    return;
  }
  let flipped = FLIP == 1u;
  // Element i of the result is [c, o], or [o, c] of the flipped filter.
  let source = select(i, i % CHANNELS * FILTERS + i / CHANNELS, flipped);
  let first = select(source, source + 8u * COUNT, flipped);
  let step = select(COUNT, 0u - COUNT, flipped);
  let r0 = row(filter_[first], filter_[first + step], filter_[first + 2u * step]);
  let r1 = row(filter_[first + 3u * step], filter_[first + 4u * step], filter_[first + 5u * step]);
  let r2 = row(filter_[first + 6u * step], filter_[first + 7u * step], filter_[first + 8u * step]);
  store(i, r0);
  store(i + 4u * COUNT, 0.5 * (r0 + r1 + r2));
  store(i + 8u * COUNT, 0.5 * (r0 - r1 + r2));
  store(i + 12u * COUNT, r2);
}
