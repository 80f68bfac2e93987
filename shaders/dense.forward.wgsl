// output[k, b, o] = activation(bias[o] + sum over i of x[k, b, i] kernel[k, i, o]): a batch of matrix products (one for
// a dense layer, 36 for Winograd's). A thread computes 8 rows x 8 columns (LANES apart, so that adjacent threads read
// adjacent kernel elements): 16 loads for 64 multiply-adds, accumulators in registers. The arrays' lengths are
// constants: a shader compiler that guards indices need not read them at each load.
override ROWS: u32; // b of one product
override INPUTS: u32; // i
override OUTPUTS: u32; // o
override BIAS: u32 = 0u; // 1: add it
override ACTIVATION: u32 = 0u; // 1: sigmoid, 2: relu

const LANES: u32 = 8; // threads over columns
const TILES: u32 = 8; // threads over tiles of rows
const X_LENGTH: u32 = 1;
const KERNEL_LENGTH: u32 = 1;
const OUTPUT_LENGTH: u32 = 1;

@group(0) @binding(0) var<storage, read> x: array<f32, X_LENGTH>;
@group(0) @binding(1) var<storage, read> kernel: array<f32, KERNEL_LENGTH>;
@group(0) @binding(2) var<storage, read> bias: array<f32>;
@group(0) @binding(3) var<storage, read_write> output: array<f32, OUTPUT_LENGTH>;

// x is clamped where exp would overflow. NaN bypasses clamp() and exp(), which may drop it. The test uses the bits:
// WGSL lets a compiler assume that no float is NaN.
fn logistic(x: f32) -> f32 {
  let y = 1.0 / (1.0 + exp(-clamp(x, -87.0, 87.0)));
  return select(y, x, (bitcast<i32>(x) & 0x7fffffff) > 0x7f800000);
}

fn activate(sum: f32, o: u32) -> f32 {
  var y = sum;
  if (BIAS == 1u) {
    y += bias[o];
  }
  if (ACTIVATION == 1u) {
    y = logistic(y);
  }
  if (ACTIVATION == 2u) {
    y = select(y, 0.0, y < 0.0);
  }
  return y;
}

fn store(k: u32, row: u32, o: u32, a: vec4f, b: vec4f) {
  var sums = array<vec4f, 2>(a, b);
  for (var r = 0u; r < 8u; r++) {
    if ((row + r < ROWS) & (o < OUTPUTS)) {
      output[(k * ROWS + row + r) * OUTPUTS + o] = activate(sums[r / 4u][r % 4u], o);
    }
  }
}

@compute @workgroup_size(LANES, TILES)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_id) local: vec3u) {
  let o = group.x * LANES * 8u + local.x;
  let row = (group.y * TILES + local.y) * 8u;
  let k = group.z;
  if (row >= ROWS || o >= OUTPUTS) {
    return;
  }
  let last = vec4u(ROWS - 1u);
  let at_a = (vec4u(k * ROWS) + min(vec4u(row) + vec4u(0u, 1u, 2u, 3u), last)) * INPUTS;
  let at_b = (vec4u(k * ROWS) + min(vec4u(row) + vec4u(4u, 5u, 6u, 7u), last)) * INPUTS;
  var at = k * INPUTS * OUTPUTS + o;
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
  for (var i = 0u; i < INPUTS; i++) {
    let xa = vec4f(x[at_a.x + i], x[at_a.y + i], x[at_a.z + i], x[at_a.w + i]);
    let xb = vec4f(x[at_b.x + i], x[at_b.y + i], x[at_b.z + i], x[at_b.w + i]);
    let w0 = vec4f(kernel[at]);
    let w1 = vec4f(kernel[at + LANES]);
    let w2 = vec4f(kernel[at + 2u * LANES]);
    let w3 = vec4f(kernel[at + 3u * LANES]);
    let w4 = vec4f(kernel[at + 4u * LANES]);
    let w5 = vec4f(kernel[at + 5u * LANES]);
    let w6 = vec4f(kernel[at + 6u * LANES]);
    let w7 = vec4f(kernel[at + 7u * LANES]);
    a0 = fma(w0, xa, a0);
    b0 = fma(w0, xb, b0);
    a1 = fma(w1, xa, a1);
    b1 = fma(w1, xb, b1);
    a2 = fma(w2, xa, a2);
    b2 = fma(w2, xb, b2);
    a3 = fma(w3, xa, a3);
    b3 = fma(w3, xb, b3);
    a4 = fma(w4, xa, a4);
    b4 = fma(w4, xb, b4);
    a5 = fma(w5, xa, a5);
    b5 = fma(w5, xb, b5);
    a6 = fma(w6, xa, a6);
    b6 = fma(w6, xb, b6);
    a7 = fma(w7, xa, a7);
    b7 = fma(w7, xb, b7);
    at += OUTPUTS;
  }
  store(k, row, o, a0, b0);
  store(k, row, o + LANES, a1, b1);
  store(k, row, o + 2u * LANES, a2, b2);
  store(k, row, o + 3u * LANES, a3, b3);
  store(k, row, o + 4u * LANES, a4, b4);
  store(k, row, o + 5u * LANES, a5, b5);
  store(k, row, o + 6u * LANES, a6, b6);
  store(k, row, o + 7u * LANES, a7, b7);
}
