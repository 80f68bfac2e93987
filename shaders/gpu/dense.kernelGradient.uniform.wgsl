// The same as dense.kernelGradient for GPUs with wide subgroups, INPUTS a multiple of 4: partial[p, k, i, o] = sum over
// the p-th part of the rows b of x[k, b, i] g[k, b, o]. A workgroup is one row of 32 threads over columns and computes
// 16 rows i x 64 columns o, two per thread. All its threads read the same x, so compilers can load it once into scalar
// registers; gradient loads are coalesced. 6 loads for 32 multiply-adds, few vector registers.
override ROWS: u32; // b of one product
override INPUTS: u32; // i
override OUTPUTS: u32; // o
override BATCH: u32; // k
override PART: u32; // rows in one part

const LANES: u32 = 32; // threads over columns

@group(0) @binding(0) var<storage, read> x: array<vec4f>;
@group(0) @binding(1) var<storage, read> gradient: array<f32>;
@group(0) @binding(2) var<storage, read_write> partial: array<f32>;

fn store(z: u32, i: u32, o: u32, a: vec4f) {
  if (i < INPUTS && o < OUTPUTS) {
    let at = (z * INPUTS + i) * OUTPUTS + o;
    partial[at] = a.x;
    partial[at + OUTPUTS] = a.y;
    partial[at + 2u * OUTPUTS] = a.z;
    partial[at + 3u * OUTPUTS] = a.w;
  }
}

@compute @workgroup_size(LANES)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) lane: u32) {
  let o = group.x * LANES * 2u + lane;
  let i = group.y * 16u;
  let k = group.z % BATCH;
  let first = group.z / BATCH * PART;
  let step = INPUTS / 4u;
  let last = step - 1u - i / 4u; // last vec4 from i on: values beyond it are not stored
  let x1 = min(1u, last);
  let x2 = min(2u, last);
  let x3 = min(3u, last);
  // Accumulators: a letter for four rows, a number for a column.
  var a0 = vec4f();
  var b0 = vec4f();
  var c0 = vec4f();
  var d0 = vec4f();
  var a1 = vec4f();
  var b1 = vec4f();
  var c1 = vec4f();
  var d1 = vec4f();
  var at = (k * ROWS + first) * step + i / 4u;
  let end = at + (min(ROWS, first + PART) - first) * step;
  var g = (k * ROWS + first) * OUTPUTS + o;
  for (; at < end; at += step) {
    let ra = x[at];
    let rb = x[at + x1];
    let rc = x[at + x2];
    let rd = x[at + x3];
    let g0 = vec4f(gradient[g]);
    let g1 = vec4f(gradient[g + LANES]);
    a0 = fma(g0, ra, a0);
    b0 = fma(g0, rb, b0);
    c0 = fma(g0, rc, c0);
    d0 = fma(g0, rd, d0);
    a1 = fma(g1, ra, a1);
    b1 = fma(g1, rb, b1);
    c1 = fma(g1, rc, c1);
    d1 = fma(g1, rd, d1);
    g += OUTPUTS;
  }
  store(group.z, i, o, a0);
  store(group.z, i + 4u, o, b0);
  store(group.z, i + 8u, o, c0);
  store(group.z, i + 12u, o, d0);
  store(group.z, i, o + LANES, a1);
  store(group.z, i + 4u, o + LANES, b1);
  store(group.z, i + 8u, o + LANES, c1);
  store(group.z, i + 12u, o + LANES, d1);
}
