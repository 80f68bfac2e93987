// d loss / d x[i] = gradient share sum over j of 2 (pull[i, j] + pull[j, i]) (x[i] - x[j]), pull[j, a] the derivative
// of anchor a's term by the squared distance between a and j. Each thread gathers its own sum, in a fixed order.
override COUNT: u32; // elements
override ROW: u32; // threads in one row of the grid
override ROWS: u32;
override COLUMNS: u32;

@group(0) @binding(0) var<storage, read> x: array<f32>;
@group(0) @binding(1) var<storage, read> pull: array<f32>;
@group(0) @binding(2) var<storage, read> share: array<f32>;
@group(0) @binding(3) var<storage, read> gradient: array<f32>;
@group(0) @binding(4) var<storage, read_write> input_gradient: array<f32>;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u) {
  let at = id.y * ROW + id.x;
  if (at >= COUNT) {
    return;
  }
  let i = at / COLUMNS;
  let k = at % COLUMNS;
  var total = 0.0;
  for (var j = 0u; j < ROWS; j++) {
    total += (pull[i * ROWS + j] + pull[j * ROWS + i]) * (x[at] - x[j * COLUMNS + k]);
  }
  input_gradient[at] = 2.0 * gradient[0] * share[0] * total;
}
