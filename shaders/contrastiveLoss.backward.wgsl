// d loss / d a = gradient (2 / n) (same - (1 - same) max(0, MARGIN - d) / d) (a - b), d loss / d b its negative.
// At d = 0 the direction is undefined; the repulsion is then 0, so that the gradient stays finite.
override COUNT: u32; // elements
override ROW: u32; // threads in one row of the grid
override COLUMNS: u32;
override MARGIN: f32;
override SIGN: f32; // 1 for a, -1 for b

@group(0) @binding(0) var<storage, read> a: array<f32>;
@group(0) @binding(1) var<storage, read> b: array<f32>;
@group(0) @binding(2) var<storage, read> same: array<f32>;
@group(0) @binding(3) var<storage, read> squared: array<f32>;
@group(0) @binding(4) var<storage, read> gradient: array<f32>;
@group(0) @binding(5) var<storage, read_write> input_gradient: array<f32>;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u) {
  let i = id.y * ROW + id.x;
  if (i < COUNT) {
    let row = i / COLUMNS;
    let d = sqrt(squared[row]);
    let push = select((MARGIN - d) / d, 0.0, (d <= 0.0) | (d >= MARGIN)); // NaN if d is NaN
    let pull = same[row] - (1.0 - same[row]) * push;
    input_gradient[i] = SIGN * gradient[0] * 2.0 / f32(COUNT / COLUMNS) * pull * (a[i] - b[i]);
  }
}
