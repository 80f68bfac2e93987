// d loss / d x[b, i] = sum over o of g[b, o] kernel[i, o], OUTPUTS a multiple of 4, without a transposed copy of the
// kernel: for few rows b, where the copy would cost more than the sum. A thread computes 2 rows b x 8 columns i and
// reads along o: 8 + 2 vec4s for 64 multiply-adds.
override ROWS: u32; // b
override INPUTS: u32; // i
override OUTPUTS: u32; // o

const LANES: u32 = 8; // threads over columns i
const TILES: u32 = 1; // threads over rows b
const KERNEL_LENGTH: u32 = 1; // vec4s
const GRADIENT_LENGTH: u32 = 1; // vec4s

@group(0) @binding(0) var<storage, read> kernel: array<vec4f, KERNEL_LENGTH>;
@group(0) @binding(1) var<storage, read> gradient: array<vec4f, GRADIENT_LENGTH>;
@group(0) @binding(2) var<storage, read_write> input_gradient: array<f32>;

fn store(b: u32, i: u32, a: vec4f) {
  if (b < ROWS && i < INPUTS) {
    input_gradient[b * INPUTS + i] = a.x + a.y + a.z + a.w;
  }
}

@compute @workgroup_size(LANES, TILES)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_id) local: vec3u) {
  let i = (group.x * LANES + local.x) * 8u;
  let b = (group.y * TILES + local.y) * 2u;
  if (i >= INPUTS || b >= ROWS) {
    return;
  }
  let step = OUTPUTS / 4u;
  let last = INPUTS - 1u;
  let k0 = i * step;
  let k1 = min(i + 1u, last) * step;
  let k2 = min(i + 2u, last) * step;
  let k3 = min(i + 3u, last) * step;
  let k4 = min(i + 4u, last) * step;
  let k5 = min(i + 5u, last) * step;
  let k6 = min(i + 6u, last) * step;
  let k7 = min(i + 7u, last) * step;
  let b0 = b * step;
  let b1 = min(b + 1u, ROWS - 1u) * step;
  // Accumulators: a letter for a row b, a number for a column i.
  var a0 = vec4f();
  var a1 = vec4f();
  var a2 = vec4f();
  var a3 = vec4f();
  var a4 = vec4f();
  var a5 = vec4f();
  var a6 = vec4f();
  var a7 = vec4f();
  var c0 = vec4f();
  var c1 = vec4f();
  var c2 = vec4f();
  var c3 = vec4f();
  var c4 = vec4f();
  var c5 = vec4f();
  var c6 = vec4f();
  var c7 = vec4f();
  for (var o = 0u; o < step; o++) {
    let g0 = gradient[b0 + o];
    let g1 = gradient[b1 + o];
    let w0 = kernel[k0 + o];
    a0 = fma(g0, w0, a0);
    c0 = fma(g1, w0, c0);
    let w1 = kernel[k1 + o];
    a1 = fma(g0, w1, a1);
    c1 = fma(g1, w1, c1);
    let w2 = kernel[k2 + o];
    a2 = fma(g0, w2, a2);
    c2 = fma(g1, w2, c2);
    let w3 = kernel[k3 + o];
    a3 = fma(g0, w3, a3);
    c3 = fma(g1, w3, c3);
    let w4 = kernel[k4 + o];
    a4 = fma(g0, w4, a4);
    c4 = fma(g1, w4, c4);
    let w5 = kernel[k5 + o];
    a5 = fma(g0, w5, a5);
    c5 = fma(g1, w5, c5);
    let w6 = kernel[k6 + o];
    a6 = fma(g0, w6, a6);
    c6 = fma(g1, w6, c6);
    let w7 = kernel[k7 + o];
    a7 = fma(g0, w7, a7);
    c7 = fma(g1, w7, c7);
  }
  store(b, i, a0);
  store(b, i + 1u, a1);
  store(b, i + 2u, a2);
  store(b, i + 3u, a3);
  store(b, i + 4u, a4);
  store(b, i + 5u, a5);
  store(b, i + 6u, a6);
  store(b, i + 7u, a7);
  store(b + 1u, i, c0);
  store(b + 1u, i + 1u, c1);
  store(b + 1u, i + 2u, c2);
  store(b + 1u, i + 3u, c3);
  store(b + 1u, i + 4u, c4);
  store(b + 1u, i + 5u, c5);
  store(b + 1u, i + 6u, c6);
  store(b + 1u, i + 7u, c7);
}
