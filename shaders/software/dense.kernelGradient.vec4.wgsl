// The same as dense.kernelGradient, INPUTS and OUTPUTS multiples of 4: partial[p, k, i, o] = sum over the p-th part of the
// rows b of x[k, b, i] g[k, b, o]. A thread computes 8 rows i x 8 columns o, two vec4s LANES apart: 2 + 2 loads for 64
// multiply-adds, since a software adapter works out and guards an address once for four components.
override ROWS: u32; // b of one product
override INPUTS: u32; // i
override OUTPUTS: u32; // o
override BATCH: u32; // k
override PART: u32; // rows in one part

const LANES: u32 = 8; // threads over columns
const TILES: u32 = 8; // threads over tiles of rows
const X_LENGTH: u32 = 1; // vec4s
const GRADIENT_LENGTH: u32 = 1; // vec4s

@group(0) @binding(0) var<storage, read> x: array<vec4f, X_LENGTH>;
@group(0) @binding(1) var<storage, read> gradient: array<vec4f, GRADIENT_LENGTH>;
@group(0) @binding(2) var<storage, read_write> partial: array<vec4f>;

fn store(z: u32, i: u32, o: u32, a: vec4f, b: vec4f) {
  if (i < INPUTS) {
    let at = (z * INPUTS + i) * (OUTPUTS / 4u) + o;
    partial[at] = a;
    if (o + LANES < OUTPUTS / 4u) {
      partial[at + LANES] = b;
    }
  }
}

@compute @workgroup_size(LANES, TILES)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_id) local: vec3u) {
  let o = group.x * LANES * 2u + local.x;
  let i = (group.y * TILES + local.y) * 8u;
  let k = group.z % BATCH;
  let first = group.z / BATCH * PART;
  let end = min(ROWS, first + PART);
  if (i >= INPUTS || o >= OUTPUTS / 4u) {
    return;
  }
  // Accumulators: a letter for four columns, a number for a row.
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
  var at = ((k * ROWS + first) * INPUTS + i) / 4u;
  var g = (k * ROWS + first) * (OUTPUTS / 4u) + o;
  for (var b = first; b < end; b++) {
    let x0 = x[at];
    let x1 = x[at + 1u];
    let g0 = gradient[g];
    a0 = fma(g0, vec4f(x0.x), a0);
    a1 = fma(g0, vec4f(x0.y), a1);
    a2 = fma(g0, vec4f(x0.z), a2);
    a3 = fma(g0, vec4f(x0.w), a3);
    a4 = fma(g0, vec4f(x1.x), a4);
    a5 = fma(g0, vec4f(x1.y), a5);
    a6 = fma(g0, vec4f(x1.z), a6);
    a7 = fma(g0, vec4f(x1.w), a7);
    let g1 = gradient[g + LANES];
    b0 = fma(g1, vec4f(x0.x), b0);
    b1 = fma(g1, vec4f(x0.y), b1);
    b2 = fma(g1, vec4f(x0.z), b2);
    b3 = fma(g1, vec4f(x0.w), b3);
    b4 = fma(g1, vec4f(x1.x), b4);
    b5 = fma(g1, vec4f(x1.y), b5);
    b6 = fma(g1, vec4f(x1.z), b6);
    b7 = fma(g1, vec4f(x1.w), b7);
    at += INPUTS / 4u;
    g += OUTPUTS / 4u;
  }
  store(group.z, i, o, a0, b0);
  store(group.z, i + 1u, o, a1, b1);
  store(group.z, i + 2u, o, a2, b2);
  store(group.z, i + 3u, o, a3, b3);
  store(group.z, i + 4u, o, a4, b4);
  store(group.z, i + 5u, o, a5, b5);
  store(group.z, i + 6u, o, a6, b6);
  store(group.z, i + 7u, o, a7, b7);
}
