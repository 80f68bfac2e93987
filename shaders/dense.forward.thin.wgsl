// The same as dense.forward, OUTPUTS a multiple of 4: output[k, b, o] = activation(bias[o] + sum over i of
// x[k, b, i] kernel[k, i, o]). A thread computes 2 rows x 16 columns, 4 vec4s LANES apart: a software adapter works out and
// guards an address once for four components. For so few rows that a tile of 8 would be mostly empty:
// the kernel is read once, 2 + 4 loads for 32 multiply-adds.
override ROWS: u32; // b of one product
override INPUTS: u32; // i
override OUTPUTS: u32; // o
override BIAS: u32 = 0u; // 1: add it
override ACTIVATION: u32 = 0u; // 1: sigmoid, 2: relu

const LANES: u32 = 8; // threads over columns
const TILES: u32 = 8; // threads over tiles of rows
const X_LENGTH: u32 = 1;
const KERNEL_LENGTH: u32 = 1; // vec4s
const OUTPUT_LENGTH: u32 = 1; // vec4s

@group(0) @binding(0) var<storage, read> x: array<f32, X_LENGTH>;
@group(0) @binding(1) var<storage, read> kernel: array<vec4f, KERNEL_LENGTH>;
@group(0) @binding(2) var<storage, read> bias: array<vec4f>;
@group(0) @binding(3) var<storage, read_write> output: array<vec4f, OUTPUT_LENGTH>;

// x is clamped where exp would overflow. NaN is taken past clamp() and exp(), which may drop it; the test looks at its bits: WGSL
// lets a compiler assume that no float is NaN.
fn logistic(x: vec4f) -> vec4f {
  let y = 1.0 / (1.0 + exp(-clamp(x, vec4f(-87.0), vec4f(87.0))));
  return select(y, x, (bitcast<vec4i>(x) & vec4i(0x7fffffff)) > vec4i(0x7f800000));
}

fn activate(sum: vec4f, o: u32) -> vec4f {
  var y = sum;
  if (BIAS == 1u) {
    y += bias[o];
  }
  if (ACTIVATION == 1u) {
    y = logistic(y);
  }
  if (ACTIVATION == 2u) {
    y = select(y, vec4f(), y < vec4f());
  }
  return y;
}

fn store(k: u32, row: u32, o: u32, a: vec4f, b: vec4f, c: vec4f, d: vec4f) {
  if (row < ROWS) {
    let at = (k * ROWS + row) * (OUTPUTS / 4u) + o;
    output[at] = activate(a, o);
    if (o + LANES < OUTPUTS / 4u) {
      output[at + LANES] = activate(b, o + LANES);
    }
    if (o + 2u * LANES < OUTPUTS / 4u) {
      output[at + 2u * LANES] = activate(c, o + 2u * LANES);
    }
    if (o + 3u * LANES < OUTPUTS / 4u) {
      output[at + 3u * LANES] = activate(d, o + 3u * LANES);
    }
  }
}

@compute @workgroup_size(LANES, TILES)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_id) local: vec3u) {
  let o = group.x * LANES * 4u + local.x;
  let row = (group.y * TILES + local.y) * 2u;
  let k = group.z;
  if (row >= ROWS || o >= OUTPUTS / 4u) {
    return;
  }
  let last = ROWS - 1u;
  let x0 = (k * ROWS + row) * INPUTS;
  let x1 = (k * ROWS + min(row + 1u, last)) * INPUTS;
  var at = k * INPUTS * (OUTPUTS / 4u) + o;
  // Accumulators: a letter for four columns, a number for a row.
  var a0 = vec4f();
  var a1 = vec4f();
  var b0 = vec4f();
  var b1 = vec4f();
  var c0 = vec4f();
  var c1 = vec4f();
  var d0 = vec4f();
  var d1 = vec4f();
  for (var i = 0u; i < INPUTS; i++) {
    let s0 = vec4f(x[x0 + i]);
    let s1 = vec4f(x[x1 + i]);
    let w0 = kernel[at];
    a0 = fma(w0, s0, a0);
    a1 = fma(w0, s1, a1);
    let w1 = kernel[at + LANES];
    b0 = fma(w1, s0, b0);
    b1 = fma(w1, s1, b1);
    let w2 = kernel[at + 2u * LANES];
    c0 = fma(w2, s0, c0);
    c1 = fma(w2, s1, c1);
    let w3 = kernel[at + 3u * LANES];
    d0 = fma(w3, s0, d0);
    d1 = fma(w3, s1, d1);
    at += OUTPUTS / 4u;
  }
  store(k, row, o, a0, b0, c0, d0);
  store(k, row + 1u, o, a1, b1, c1, d1);
}
