// The same as conv2d.filterGradient for GPUs with wide subgroups and few rows (u, v, c), as in a first layer:
// partial[p, (u, v, c), o] = sum over the p-th part of the output lines (b, i), and over j, of x[b, i + u - pad, j + v
// - pad, c] g[b, i, j, o], stride 1. A workgroup is one row of 32 threads over channels o and computes all rows x 64
// channels, two per thread: each gradient is loaded once. All its threads read the same x, so compilers can load it
// once into scalar registers. Windows without padding, by far the most, have no selects, which would occupy the scalar
// unit longer than the rest.
override HEIGHT: i32;
override WIDTH: i32;
override OUTPUT_HEIGHT: u32;
override OUTPUT_WIDTH: u32;
override FILTERS: u32;
override PAD_Y: i32;
override PAD_X: i32;
override LINES: u32; // output lines: B * OUTPUT_HEIGHT
override PART: u32; // output lines in one part

const LANES: u32 = 32; // threads over channels o
const SIZE_Y: u32 = 3;
const SIZE_X: u32 = 3;
const CHANNELS: u32 = 1;

@group(0) @binding(0) var<storage, read> x: array<f32>;
@group(0) @binding(1) var<storage, read> gradient: array<f32>;
@group(0) @binding(2) var<storage, read_write> partial: array<f32>;

@compute @workgroup_size(LANES)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) lane: u32) {
  let o = group.x * LANES * 2u + lane;
  // The loops over it have constant bounds: compilers unroll them and keep it in registers.
  var sums = array<vec2f, SIZE_Y * SIZE_X * CHANNELS>();
  let end = min(LINES, (group.y + 1u) * PART);
  for (var line = group.y * PART; line < end; line++) {
    let image = i32(line / OUTPUT_HEIGHT);
    let top = i32(line % OUTPUT_HEIGHT) - PAD_Y;
    let whole = (top >= 0) & (top + i32(SIZE_Y) <= HEIGHT);
    var g = line * OUTPUT_WIDTH * FILTERS + o;
    for (var j = 0; j < i32(OUTPUT_WIDTH); j++) {
      let arriving = vec2f(gradient[g], gradient[g + LANES]);
      let left = j - PAD_X;
      if (whole & (left >= 0) & (left + i32(SIZE_X) <= WIDTH)) {
        for (var u = 0u; u < SIZE_Y; u++) {
          let at = u32((image * HEIGHT + top + i32(u)) * WIDTH + left) * CHANNELS;
          for (var vc = 0u; vc < SIZE_X * CHANNELS; vc++) {
            let r = u * SIZE_X * CHANNELS + vc;
            sums[r] = fma(vec2f(x[at + vc]), arriving, sums[r]);
          }
        }
      } else {
        for (var u = 0u; u < SIZE_Y; u++) {
          let row = top + i32(u);
          for (var v = 0u; v < SIZE_X; v++) {
            let column = left + i32(v);
            let inside = (row >= 0) & (row < HEIGHT) & (column >= 0) & (column < WIDTH);
            let at = u32(select(0, (image * HEIGHT + row) * WIDTH + column, inside)) * CHANNELS;
            for (var c = 0u; c < CHANNELS; c++) {
              let r = (u * SIZE_X + v) * CHANNELS + c;
              sums[r] = fma(vec2f(select(0.0, x[at + c], inside)), arriving, sums[r]);
            }
          }
        }
      }
      g += FILTERS;
    }
  }
  for (var r = 0u; r < SIZE_Y * SIZE_X * CHANNELS; r++) {
    let at = (group.y * SIZE_Y * SIZE_X * CHANNELS + r) * FILTERS + o;
    if (o < FILTERS) {
      partial[at] = sums[r].x;
    }
    if (o + LANES < FILTERS) {
      partial[at + LANES] = sums[r].y;
    }
  }
}
