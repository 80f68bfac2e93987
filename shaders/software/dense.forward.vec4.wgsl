// The same as dense.forward, OUTPUTS a multiple of 4: output[k, b, o] = activation(bias[o] + sum over i of x[k, b, i]
// kernel[k, i, o]). A thread computes 8 rows x 8 columns, 2 vec4s LANES apart: a software adapter computes and guards
// an address once for four components. 8 + 2 loads for 64 multiply-adds.
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

// x is clamped where exp would overflow. NaN bypasses clamp() and exp(), which may drop it. The test uses the bits:
// WGSL lets a compiler assume that no float is NaN.
fn logistic(x: vec4f) -> vec4f {
  let y = 1.0 / (1.0 + exp(-clamp(x, vec4f(-87.0), vec4f(87.0))));
  return select(y, x, (bitcast<vec4i>(x) & vec4i(0x7fffffff)) > vec4i(0x7f800000));
}

fn activate(sum: vec4f) -> vec4f {
  var y = sum;
  if (ACTIVATION == 1u) {
    y = logistic(y);
  }
  if (ACTIVATION == 2u) {
    y = select(y, vec4f(), y < vec4f());
  }
  return y;
}

fn store(k: u32, row: u32, o: u32, a: vec4f, b: vec4f) {
  if (row < ROWS) {
    let at = (k * ROWS + row) * (OUTPUTS / 4u) + o;
    output[at] = activate(a);
    if (o + LANES < OUTPUTS / 4u) {
      output[at + LANES] = activate(b);
    }
  }
}

@compute @workgroup_size(LANES, TILES)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_id) local: vec3u) {
  let o = group.x * LANES * 2u + local.x;
  let row = (group.y * TILES + local.y) * 8u;
  let k = group.z;
  if (row >= ROWS || o >= OUTPUTS / 4u) {
    return;
  }
  let last = ROWS - 1u;
  let x0 = (k * ROWS + row) * INPUTS;
  let x1 = (k * ROWS + min(row + 1u, last)) * INPUTS;
  let x2 = (k * ROWS + min(row + 2u, last)) * INPUTS;
  let x3 = (k * ROWS + min(row + 3u, last)) * INPUTS;
  let x4 = (k * ROWS + min(row + 4u, last)) * INPUTS;
  let x5 = (k * ROWS + min(row + 5u, last)) * INPUTS;
  let x6 = (k * ROWS + min(row + 6u, last)) * INPUTS;
  let x7 = (k * ROWS + min(row + 7u, last)) * INPUTS;
  var at = k * INPUTS * (OUTPUTS / 4u) + o;
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
  for (var i = 0u; i < INPUTS; i++) {
    let s0 = vec4f(x[x0 + i]);
    let s1 = vec4f(x[x1 + i]);
    let s2 = vec4f(x[x2 + i]);
    let s3 = vec4f(x[x3 + i]);
    let s4 = vec4f(x[x4 + i]);
    let s5 = vec4f(x[x5 + i]);
    let s6 = vec4f(x[x6 + i]);
    let s7 = vec4f(x[x7 + i]);
    let w0 = kernel[at];
    a0 = fma(w0, s0, a0);
    a1 = fma(w0, s1, a1);
    a2 = fma(w0, s2, a2);
    a3 = fma(w0, s3, a3);
    a4 = fma(w0, s4, a4);
    a5 = fma(w0, s5, a5);
    a6 = fma(w0, s6, a6);
    a7 = fma(w0, s7, a7);
    let w1 = kernel[at + LANES];
    b0 = fma(w1, s0, b0);
    b1 = fma(w1, s1, b1);
    b2 = fma(w1, s2, b2);
    b3 = fma(w1, s3, b3);
    b4 = fma(w1, s4, b4);
    b5 = fma(w1, s5, b5);
    b6 = fma(w1, s6, b6);
    b7 = fma(w1, s7, b7);
    at += OUTPUTS / 4u;
  }
  var offset_a = vec4f();
  var offset_b = vec4f();
  if (BIAS == 1u) {
    offset_a = bias[o];
    offset_b = bias[min(o + LANES, OUTPUTS / 4u - 1u)];
  }
  // A loop: unrolled, eight rows of stores and sigmoids would be most of the code to compile.
  var left = array<vec4f, 8>(a0, a1, a2, a3, a4, a5, a6, a7);
  var right = array<vec4f, 8>(b0, b1, b2, b3, b4, b5, b6, b7);
  for (var r = 0u; r < 8u; r++) {
    store(k, row + r, o, left[r] + offset_a, right[r] + offset_b);
  }
}
