// The same as dense.forward for GPUs with wide subgroups, INPUTS a multiple of 4: output[k, b, o] = activation(bias[o]
// + sum over i of x[k, b, i] kernel[k, i, o]). A workgroup is one row of 32 threads over columns and computes 8 rows x
// 64 columns, two per thread. All its threads read the same x, so compilers can load it once into scalar registers;
// kernel loads are coalesced. 12 loads for 64 multiply-adds, few vector registers.
override INPUTS: u32; // i
override OUTPUTS: u32; // o
override BIAS: u32 = 0u; // 1: add it
override ACTIVATION: u32 = 0u; // 1: sigmoid, 2: relu

// The number of rows is in a uniform, so that batches of all sizes share one pipeline.
struct Shape {
  ROWS: u32, // b of one product
}

const LANES: u32 = 32; // threads over columns

@group(0) @binding(0) var<storage, read> x: array<vec4f>;
@group(0) @binding(1) var<storage, read> kernel: array<f32>;
@group(0) @binding(2) var<storage, read> bias: array<f32>;
@group(0) @binding(3) var<storage, read_write> output: array<f32>;
@group(0) @binding(4) var<uniform> shape: Shape;

// x is clamped where exp would overflow. NaN bypasses clamp() and exp(), which may drop it. The test uses the bits:
// WGSL lets a compiler assume that no float is NaN.
fn logistic(x: f32) -> f32 {
  let y = 1.0 / (1.0 + exp(-clamp(x, -87.0, 87.0)));
  return select(y, x, (bitcast<i32>(x) & 0x7fffffff) > 0x7f800000);
}

fn store(at: u32, o: u32, rows: u32, a: vec4f, b: vec4f) {
  if (o >= OUTPUTS) {
    return;
  }
  var sums = array<f32, 8>(a.x, a.y, a.z, a.w, b.x, b.y, b.z, b.w);
  for (var r = 0u; r < 8u; r++) {
    if (r < rows) {
      var y = sums[r];
      if (BIAS == 1u) {
        y += bias[o];
      }
      if (ACTIVATION == 1u) {
        y = logistic(y);
      }
      if (ACTIVATION == 2u) {
        y = select(y, 0.0, y < 0.0);
      }
      output[at + r * OUTPUTS] = y;
    }
  }
}

@compute @workgroup_size(LANES)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) lane: u32) {
  let o = group.x * LANES * 2u + lane;
  let row = group.y * 8u;
  let k = group.z;
  let last = shape.ROWS - 1u;
  let step = INPUTS / 4u;
  var x0 = (k * shape.ROWS + row) * step;
  let x1 = (min(row + 1u, last) - row) * step;
  let x2 = (min(row + 2u, last) - row) * step;
  let x3 = (min(row + 3u, last) - row) * step;
  let x4 = (min(row + 4u, last) - row) * step;
  let x5 = (min(row + 5u, last) - row) * step;
  let x6 = (min(row + 6u, last) - row) * step;
  let x7 = (min(row + 7u, last) - row) * step;
  var at = k * INPUTS * OUTPUTS + o;
  // Accumulators: a letter for four rows, a number for a column.
  var a0 = vec4f();
  var b0 = vec4f();
  var a1 = vec4f();
  var b1 = vec4f();
  // The end is a sum that is unknown at compile time: fully unrolled, the loop would spill scalar registers.
  let end = x0 + step;
  for (; x0 < end; x0++) {
    let r0 = x[x0];
    let r1 = x[x0 + x1];
    let r2 = x[x0 + x2];
    let r3 = x[x0 + x3];
    let r4 = x[x0 + x4];
    let r5 = x[x0 + x5];
    let r6 = x[x0 + x6];
    let r7 = x[x0 + x7];
    var w0 = vec4f(kernel[at]);
    var w1 = vec4f(kernel[at + LANES]);
    a0 = fma(w0, vec4f(r0.x, r1.x, r2.x, r3.x), a0);
    b0 = fma(w0, vec4f(r4.x, r5.x, r6.x, r7.x), b0);
    a1 = fma(w1, vec4f(r0.x, r1.x, r2.x, r3.x), a1);
    b1 = fma(w1, vec4f(r4.x, r5.x, r6.x, r7.x), b1);
    w0 = vec4f(kernel[at + OUTPUTS]);
    w1 = vec4f(kernel[at + OUTPUTS + LANES]);
    a0 = fma(w0, vec4f(r0.y, r1.y, r2.y, r3.y), a0);
    b0 = fma(w0, vec4f(r4.y, r5.y, r6.y, r7.y), b0);
    a1 = fma(w1, vec4f(r0.y, r1.y, r2.y, r3.y), a1);
    b1 = fma(w1, vec4f(r4.y, r5.y, r6.y, r7.y), b1);
    w0 = vec4f(kernel[at + 2u * OUTPUTS]);
    w1 = vec4f(kernel[at + 2u * OUTPUTS + LANES]);
    a0 = fma(w0, vec4f(r0.z, r1.z, r2.z, r3.z), a0);
    b0 = fma(w0, vec4f(r4.z, r5.z, r6.z, r7.z), b0);
    a1 = fma(w1, vec4f(r0.z, r1.z, r2.z, r3.z), a1);
    b1 = fma(w1, vec4f(r4.z, r5.z, r6.z, r7.z), b1);
    w0 = vec4f(kernel[at + 3u * OUTPUTS]);
    w1 = vec4f(kernel[at + 3u * OUTPUTS + LANES]);
    a0 = fma(w0, vec4f(r0.w, r1.w, r2.w, r3.w), a0);
    b0 = fma(w0, vec4f(r4.w, r5.w, r6.w, r7.w), b0);
    a1 = fma(w1, vec4f(r0.w, r1.w, r2.w, r3.w), a1);
    b1 = fma(w1, vec4f(r4.w, r5.w, r6.w, r7.w), b1);
    at += 4u * OUTPUTS;
  }
  let at_y = (k * shape.ROWS + row) * OUTPUTS + o;
  store(at_y, o, shape.ROWS - row, a0, b0);
  store(at_y + LANES, o + LANES, shape.ROWS - row, a1, b1);
}
