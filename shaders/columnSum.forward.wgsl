// output[p, c] = sum of x[r, c] over the p-th chunk of rows. Repeated on its own output, it sums whole columns of a
// [ROWS, COLUMNS] matrix in a fixed order. Adjacent threads take adjacent columns.
override ROWS: u32;
override COLUMNS: u32;
override CHUNK: u32; // rows per thread
override COUNT: u32; // threads: chunks * COLUMNS
override ROW: u32; // threads in one row of the grid

@group(0) @binding(0) var<storage, read> x: array<f32>;
@group(0) @binding(1) var<storage, read_write> output: array<f32>;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u) {
  let i = id.y * ROW + id.x;
  if (i >= COUNT) {
    return;
  }
  let c = i % COLUMNS;
  let first = i / COLUMNS * CHUNK;
  let last = min(first + CHUNK, ROWS);
  var total = 0.0;
  for (var r = first; r < last; r++) {
    total += x[r * COLUMNS + c];
  }
  output[i] = total;
}
