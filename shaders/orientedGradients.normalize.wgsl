// A cell's edges, normalized by their surroundings, and its pixels:
//   n = sqrt(mean of energy over 5 x 5 cells, borders repeated) + STRENGTH
//   output[cell, b] = sqrt(histogram[cell, b] / n + LEAST), b < 8
//   output[cell, 8 + c] = mean of the cell's 2 x 2 pixels of x in channel c
// One thread per cell. After normalization a faint edge in shade counts as much as a strong one in the light.
override HEIGHT: u32; // of the picture
override WIDTH: u32;
override CHANNELS: u32;
override ROWS: u32; // of cells
override COLUMNS: u32;
override COUNT: u32; // cells of all pictures
override ROW: u32;

const STRENGTH: f32 = 0.1;
const LEAST: f32 = 0.01;

@group(0) @binding(0) var<storage, read> x: array<f32>;
@group(0) @binding(1) var<storage, read> histogram: array<f32>;
@group(0) @binding(2) var<storage, read> energy: array<f32>;
@group(0) @binding(3) var<storage, read_write> output: array<f32>;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u) {
  let cell = id.y * ROW + id.x;
  if (cell >= COUNT) {
    return;
  }
  let picture = cell / (ROWS * COLUMNS);
  let row = cell / COLUMNS % ROWS;
  let column = cell % COLUMNS;
  var sum = 0.0;
  for (var i = -2; i <= 2; i++) {
    let beside = u32(clamp(i32(row) + i, 0, i32(ROWS) - 1));
    for (var j = -2; j <= 2; j++) {
      sum += energy[(picture * ROWS + beside) * COLUMNS + u32(clamp(i32(column) + j, 0, i32(COLUMNS) - 1))];
    }
  }
  let n = sqrt(sum / 25.0) + STRENGTH;
  let first = cell * (8u + CHANNELS);
  for (var b = 0u; b < 8u; b++) {
    output[first + b] = sqrt(histogram[8u * cell + b] / n + LEAST);
  }
  for (var c = 0u; c < CHANNELS; c++) {
    let above = ((picture * HEIGHT + 2u * row) * WIDTH + 2u * column) * CHANNELS + c;
    let below = above + WIDTH * CHANNELS;
    output[first + 8u + c] = (x[above] + x[above + CHANNELS] + x[below] + x[below + CHANNELS]) / 4.0;
  }
}
