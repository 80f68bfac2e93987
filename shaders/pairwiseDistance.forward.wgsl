// output[i, j] = sum over columns of (x[i] - x[j])^2, [ROWS, ROWS]: exactly symmetric, exactly 0 on the diagonal. It
// uses differences, since |x_i|^2 + |x_j|^2 - 2 x_i . x_j loses small distances. Sums of 32 terms are added up to limit
// rounding.
override COUNT: u32; // entries
override ROW: u32; // threads in one row of the grid
override ROWS: u32;
override COLUMNS: u32;

@group(0) @binding(0) var<storage, read> x: array<f32>;
@group(0) @binding(1) var<storage, read_write> output: array<f32>;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u) {
  let i = id.y * ROW + id.x;
  if (i >= COUNT) {
    return;
  }
  let a = (i / ROWS) * COLUMNS;
  let b = (i % ROWS) * COLUMNS;
  var total = 0.0;
  for (var first = 0u; first < COLUMNS; first += 32u) {
    var part = 0.0;
    for (var k = first; k < min(first + 32u, COLUMNS); k++) {
      let difference = x[a + k] - x[b + k];
      part += difference * difference;
    }
    total += part;
  }
  output[i] = total;
}
