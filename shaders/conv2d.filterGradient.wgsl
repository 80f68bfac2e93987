// partial[p, (u, v, c), o] = sum over the p-th part of the output rows (b, i), and over j, of x[b, i s + u - pad, j s +
// v - pad, c] g[b, i, j, o], with s the stride, pad the padding (each per axis) and g the output gradient; columnSum then
// adds the parts in their order. A thread computes 8 rows (u, v, c) x 8 channels o (LANES apart): 16 loads for 64
// multiply-adds. The sum over batch and space is split into parts, for enough parallel work whatever the filter's size.
override HEIGHT: i32;
override WIDTH: i32;
override CHANNELS: u32;
override OUTPUT_HEIGHT: u32;
override OUTPUT_WIDTH: u32;
override FILTERS: u32;
override SIZE_Y: u32;
override SIZE_X: u32;
override STRIDE_Y: i32;
override STRIDE_X: i32;
override PAD_Y: i32;
override PAD_X: i32;
override LINES: u32; // output rows: B * OUTPUT_HEIGHT
override PART: u32; // output rows in one part

const LANES: u32 = 8; // threads over channels o
const TILES: u32 = 8; // threads over rows (u, v, c)
const X_LENGTH: u32 = 1;
const GRADIENT_LENGTH: u32 = 1;

@group(0) @binding(0) var<storage, read> x: array<f32, X_LENGTH>;
@group(0) @binding(1) var<storage, read> gradient: array<f32, GRADIENT_LENGTH>;
@group(0) @binding(2) var<storage, read_write> partial: array<f32>;

fn store(row: u32, o: u32, part: u32, a: vec4f, b: vec4f) {
  let rows = SIZE_Y * SIZE_X * CHANNELS;
  var sums = array<vec4f, 2>(a, b);
  for (var r = 0u; r < 8u; r++) {
    if ((row + r < rows) & (o < FILTERS)) {
      partial[(part * rows + row + r) * FILTERS + o] = sums[r / 4u][r % 4u];
    }
  }
}

@compute @workgroup_size(LANES, TILES)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_id) local: vec3u) {
  let o = group.x * LANES * 8u + local.x;
  let row = (group.y * TILES + local.y) * 8u;
  if (row >= SIZE_Y * SIZE_X * CHANNELS || o >= FILTERS) {
    return;
  }
  // Offsets (u - pad, v - pad, c) of the eight rows.
  let ra = vec4u(row) + vec4u(0u, 1u, 2u, 3u);
  let rb = ra + vec4u(4u);
  let ca = vec4i(ra % vec4u(CHANNELS));
  let cb = vec4i(rb % vec4u(CHANNELS));
  let va = vec4i(ra / vec4u(CHANNELS) % vec4u(SIZE_X)) - vec4i(PAD_X);
  let vb = vec4i(rb / vec4u(CHANNELS) % vec4u(SIZE_X)) - vec4i(PAD_X);
  let ua = vec4i(ra / vec4u(CHANNELS * SIZE_X)) - vec4i(PAD_Y);
  let ub = vec4i(rb / vec4u(CHANNELS * SIZE_X)) - vec4i(PAD_Y);
  // Accumulators: a letter for four rows, a number for a channel.
  var a0 = vec4f();
  var a1 = vec4f();
  var a2 = vec4f();
  var a3 = vec4f();
  var a4 = vec4f();
  var a5 = vec4f();
  var a6 = vec4f();
  var a7 = vec4f();
  var b0 = vec4f();
  var b1 = vec4f();
  var b2 = vec4f();
  var b3 = vec4f();
  var b4 = vec4f();
  var b5 = vec4f();
  var b6 = vec4f();
  var b7 = vec4f();
  let end = min(LINES, (group.z + 1u) * PART);
  for (var line = group.z * PART; line < end; line++) {
    let image = line / OUTPUT_HEIGHT;
    let top = i32(line - image * OUTPUT_HEIGHT) * STRIDE_Y;
    let ya = top + ua;
    let yb = top + ub;
    let inside_ya = (ya >= vec4i()) & (ya < vec4i(HEIGHT));
    let inside_yb = (yb >= vec4i()) & (yb < vec4i(HEIGHT));
    var at_a = ((i32(image) * HEIGHT + ya) * WIDTH + va) * i32(CHANNELS) + ca;
    var at_b = ((i32(image) * HEIGHT + yb) * WIDTH + vb) * i32(CHANNELS) + cb;
    var g = line * OUTPUT_WIDTH * FILTERS + o;
    for (var j = 0u; j < OUTPUT_WIDTH; j++) {
      // Left of the picture a column wraps to a large number: one comparison covers both edges.
      let inside_a = inside_ya & (vec4u(va + i32(j) * STRIDE_X) < vec4u(u32(WIDTH)));
      let inside_b = inside_yb & (vec4u(vb + i32(j) * STRIDE_X) < vec4u(u32(WIDTH)));
      let xa = select(vec4f(), vec4f(x[at_a.x], x[at_a.y], x[at_a.z], x[at_a.w]), inside_a);
      let xb = select(vec4f(), vec4f(x[at_b.x], x[at_b.y], x[at_b.z], x[at_b.w]), inside_b);
      let g0 = vec4f(gradient[g]);
      let g1 = vec4f(gradient[g + LANES]);
      let g2 = vec4f(gradient[g + 2u * LANES]);
      let g3 = vec4f(gradient[g + 3u * LANES]);
      let g4 = vec4f(gradient[g + 4u * LANES]);
      let g5 = vec4f(gradient[g + 5u * LANES]);
      let g6 = vec4f(gradient[g + 6u * LANES]);
      let g7 = vec4f(gradient[g + 7u * LANES]);
      a0 = fma(g0, xa, a0);
      b0 = fma(g0, xb, b0);
      a1 = fma(g1, xa, a1);
      b1 = fma(g1, xb, b1);
      a2 = fma(g2, xa, a2);
      b2 = fma(g2, xb, b2);
      a3 = fma(g3, xa, a3);
      b3 = fma(g3, xb, b3);
      a4 = fma(g4, xa, a4);
      b4 = fma(g4, xb, b4);
      a5 = fma(g5, xa, a5);
      b5 = fma(g5, xb, b5);
      a6 = fma(g6, xa, a6);
      b6 = fma(g6, xb, b6);
      a7 = fma(g7, xa, a7);
      b7 = fma(g7, xb, b7);
      at_a += vec4i(STRIDE_X * i32(CHANNELS));
      at_b += vec4i(STRIDE_X * i32(CHANNELS));
      g += FILTERS;
    }
  }
  store(row, o, group.z, a0, b0);
  store(row, o + LANES, group.z, a1, b1);
  store(row, o + 2u * LANES, group.z, a2, b2);
  store(row, o + 3u * LANES, group.z, a3, b3);
  store(row, o + 4u * LANES, group.z, a4, b4);
  store(row, o + 5u * LANES, group.z, a5, b5);
  store(row, o + 6u * LANES, group.z, a6, b6);
  store(row, o + 7u * LANES, group.z, a7, b7);
}
