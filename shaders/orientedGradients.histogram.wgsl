// For each cell of 2 x 2 pixels the strength of edges in each of 8 directions, and the energy for normalization:
//   I = mean of the channels, d = (I[y, x + 1] - I[y, x - 1], I[y + 1, x] - I[y - 1, x]), borders repeated
//   h_b = max(0, d . u_b)^2 / (|d| + EPSILON), u_b = (cos, sin)(2 pi b / 8)
//   histogram[cell, b] = mean of h_b over the cell,  energy[cell] = sum_b histogram[cell, b]^2
// One thread per cell. The squared cosine distributes an edge over two directions and is smooth. No angle is computed,
// because adapters round angles differently.
override HEIGHT: u32; // of the picture
override WIDTH: u32;
override CHANNELS: u32;
override ROWS: u32; // of cells
override COLUMNS: u32;
override COUNT: u32; // cells of all pictures
override ROW: u32;

const EPSILON: f32 = 1e-3;
const HALF: f32 = 0.70710678118654752;

@group(0) @binding(0) var<storage, read> x: array<f32>;
@group(0) @binding(1) var<storage, read_write> histogram: array<vec4f>; // two to a cell
@group(0) @binding(2) var<storage, read_write> energy: array<f32>;

fn intensity(picture: u32, y: i32, column: i32) -> f32 {
  let row = u32(clamp(y, 0, i32(HEIGHT) - 1));
  let first = ((picture * HEIGHT + row) * WIDTH + u32(clamp(column, 0, i32(WIDTH) - 1))) * CHANNELS;
  var sum = 0.0;
  for (var c = 0u; c < CHANNELS; c++) {
    sum += x[first + c];
  }
  return sum / f32(CHANNELS);
}

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u) {
  let cell = id.y * ROW + id.x;
  if (cell >= COUNT) {
    return;
  }
  let picture = cell / (ROWS * COLUMNS);
  let top = 2 * i32(cell / COLUMNS % ROWS);
  let left = 2 * i32(cell % COLUMNS);
  var forwards = vec4f(); // directions 0 to 3
  var backwards = vec4f(); // and the opposite ones, 4 to 7
  for (var i = 0; i < 4; i++) {
    let y = top + i / 2;
    let column = left + i % 2;
    let along_x = intensity(picture, y, column + 1) - intensity(picture, y, column - 1);
    let along_y = intensity(picture, y + 1, column) - intensity(picture, y - 1, column);
    let along = vec4f(along_x, HALF * (along_x + along_y), along_y, HALF * (along_y - along_x));
    let strength = sqrt(along_x * along_x + along_y * along_y) + EPSILON;
    let one_way = select(along, vec4f(), along < vec4f()); // max() may drop NaN
    let other_way = select(-along, vec4f(), along > vec4f());
    forwards += one_way * one_way / strength;
    backwards += other_way * other_way / strength;
  }
  forwards /= 4.0;
  backwards /= 4.0;
  histogram[2u * cell] = forwards;
  histogram[2u * cell + 1u] = backwards;
  energy[cell] = dot(forwards, forwards) + dot(backwards, backwards);
}
