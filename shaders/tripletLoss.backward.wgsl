// If the triplet is active (its term > 0): d loss / d a = k (n - p), d loss / d p = k (p - a), d loss / d n = k (a -
// n), k = 2 gradient / batch. One kernel, u - v, computes all three.
override COUNT: u32; // elements
override ROW: u32; // threads in one row of the grid
override COLUMNS: u32;
override MARGIN: f32;

@group(0) @binding(0) var<storage, read> u: array<f32>;
@group(0) @binding(1) var<storage, read> v: array<f32>;
@group(0) @binding(2) var<storage, read> squared_positive: array<f32>;
@group(0) @binding(3) var<storage, read> squared_negative: array<f32>;
@group(0) @binding(4) var<storage, read> gradient: array<f32>;
@group(0) @binding(5) var<storage, read_write> input_gradient: array<f32>;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u) {
  let i = id.y * ROW + id.x;
  if (i < COUNT) {
    let row = i / COLUMNS;
    let inactive = squared_positive[row] - squared_negative[row] + MARGIN <= 0.0; // false for NaN
    let k = 2.0 * gradient[0] / f32(COUNT / COLUMNS);
    input_gradient[i] = select(k * (u[i] - v[i]), 0.0, inactive);
  }
}
