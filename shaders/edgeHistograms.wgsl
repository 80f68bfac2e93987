// Edges by direction, summed over windows of 4 x 4 cells at every second cell, no padding:
//   output[window, b] = sqrt(mean over the window's cells of edges[cell, b]^2), b < 8
// One thread per value: eight adjacent threads read a cell's eight directions.
override CHANNELS: u32; // of edges: 8 directions, and the pixels
override ROWS: u32; // of cells
override COLUMNS: u32;
override WINDOW_ROWS: u32;
override WINDOW_COLUMNS: u32;
override COUNT: u32; // values of all pictures
override ROW: u32;

@group(0) @binding(0) var<storage, read> edges: array<f32>;
@group(0) @binding(1) var<storage, read_write> output: array<f32>;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u) {
  let index = id.y * ROW + id.x;
  if (index >= COUNT) {
    return;
  }
  let direction = index % 8u;
  let window = index / 8u;
  let picture = window / (WINDOW_ROWS * WINDOW_COLUMNS);
  let top = 2u * (window / WINDOW_COLUMNS % WINDOW_ROWS);
  let left = 2u * (window % WINDOW_COLUMNS);
  var sum = 0.0;
  for (var i = 0u; i < 4u; i++) {
    let first = (picture * ROWS + top + i) * COLUMNS + left;
    for (var j = 0u; j < 4u; j++) {
      let value = edges[(first + j) * CHANNELS + direction];
      sum += value * value;
    }
  }
  output[index] = sqrt(sum / 16.0);
}
