// partial[p, k, i, o] = sum over the p-th part of the rows b of x[k, b, i] g[k, b, o], for a batch of matrix products;
// columnSum then adds the parts in their order. A thread computes 8 rows i x 8 columns o (LANES apart): 16 loads for 64
// multiply-adds. The sum over b is split into parts, for enough parallel work.
override ROWS: u32; // b of one product
override INPUTS: u32; // i
override OUTPUTS: u32; // o
override BATCH: u32; // k
override PART: u32; // rows in one part

const LANES: u32 = 8; // threads over columns
const TILES: u32 = 8; // threads over tiles of rows
const X_LENGTH: u32 = 1;
const GRADIENT_LENGTH: u32 = 1;

@group(0) @binding(0) var<storage, read> x: array<f32, X_LENGTH>;
@group(0) @binding(1) var<storage, read> gradient: array<f32, GRADIENT_LENGTH>;
@group(0) @binding(2) var<storage, read_write> partial: array<f32>;

fn store(z: u32, i: u32, o: u32, a: vec4f, b: vec4f) {
  var sums = array<vec4f, 2>(a, b);
  for (var r = 0u; r < 8u; r++) {
    if ((i + r < INPUTS) & (o < OUTPUTS)) {
      partial[(z * INPUTS + i + r) * OUTPUTS + o] = sums[r / 4u][r % 4u];
    }
  }
}

@compute @workgroup_size(LANES, TILES)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_id) local: vec3u) {
  let o = group.x * LANES * 8u + local.x;
  let i = (group.y * TILES + local.y) * 8u;
  let k = group.z % BATCH;
  let first = group.z / BATCH * PART;
  let end = min(ROWS, first + PART);
  if (i >= INPUTS || o >= OUTPUTS) {
    return;
  }
  // Accumulators: a letter for four rows, a number for a column.
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
  var at = (k * ROWS + first) * INPUTS + i;
  var g = (k * ROWS + first) * OUTPUTS + o;
  for (var b = first; b < end; b++) {
    let xa = vec4f(x[at], x[at + 1u], x[at + 2u], x[at + 3u]);
    let xb = vec4f(x[at + 4u], x[at + 5u], x[at + 6u], x[at + 7u]);
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
    at += INPUTS;
    g += OUTPUTS;
  }
  store(group.z, i, o, a0, b0);
  store(group.z, i, o + LANES, a1, b1);
  store(group.z, i, o + 2u * LANES, a2, b2);
  store(group.z, i, o + 3u * LANES, a3, b3);
  store(group.z, i, o + 4u * LANES, a4, b4);
  store(group.z, i, o + 5u * LANES, a5, b5);
  store(group.z, i, o + 6u * LANES, a6, b6);
  store(group.z, i, o + 7u * LANES, a7, b7);
}
