// The same as dense.forward in float16: output[b, o] = activation(bias[o] + sum over i of x[b, i] kernel[i, o]), with
// operands rounded to float16, eight products summed in float16 and those sums in float32. Outputs are off by up to
// 1e-3 of the largest; a sum of eight products must stay below 65504. A workgroup of 64 threads computes 32 rows x 32
// columns, a thread 4 x 4; a step loads 8 columns of x and 8 rows of the kernel into workgroup memory, at half the size
// of float32.
enable f16;

override ROWS: u32; // b
override INPUTS: u32; // i
override OUTPUTS: u32; // o
override BIAS: u32 = 0u; // 1: add it
override ACTIVATION: u32 = 0u; // 1: sigmoid, 2: relu

@group(0) @binding(0) var<storage, read> x: array<f32>;
@group(0) @binding(1) var<storage, read> kernel: array<f32>;
@group(0) @binding(2) var<storage, read> bias: array<f32>;
@group(0) @binding(3) var<storage, read_write> output: array<f32>;

var<workgroup> rows: array<vec4<f16>, 64>; // [8 of i, 32 rows]
var<workgroup> columns: array<vec4<f16>, 64>; // [8 of i, 32 columns]

// As in dense.forward.
fn logistic(x: f32) -> f32 {
  let y = 1.0 / (1.0 + exp(-clamp(x, -87.0, 87.0)));
  return select(y, x, (bitcast<i32>(x) & 0x7fffffff) > 0x7f800000);
}

fn x_at(b: u32, i: u32) -> f32 {
  let inside = (b < ROWS) & (i < INPUTS);
  return select(0.0, x[select(0u, b * INPUTS + i, inside)], inside);
}

fn kernel_at(i: u32, o: u32) -> f32 {
  let inside = (i < INPUTS) & (o < OUTPUTS);
  return select(0.0, kernel[select(0u, i * OUTPUTS + o, inside)], inside);
}

fn store(b: u32, o: u32, sums: vec4f) {
  for (var n = 0u; n < 4u; n++) {
    if ((b < ROWS) & (o + n < OUTPUTS)) {
      var y = sums[n];
      if (BIAS == 1u) {
        y += bias[o + n];
      }
      if (ACTIVATION == 1u) {
        y = logistic(y);
      }
      if (ACTIVATION == 2u) {
        y = select(y, 0.0, y < 0.0);
      }
      output[b * OUTPUTS + o + n] = y;
    }
  }
}

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) t: u32) {
  let first_row = group.y * 32u;
  let first_column = group.x * 32u;
  let y = t / 8u; // four rows
  let z = t % 8u; // four columns
  var a0 = vec4f();
  var a1 = vec4f();
  var a2 = vec4f();
  var a3 = vec4f();
  for (var i = 0u; i < INPUTS; i += 8u) {
    // Thread t loads row i + y of the kernel, columns 4 z to 4 z + 3, and column i + y of x, rows 4 z to 4 z + 3.
    let b = first_row + 4u * z;
    let o = first_column + 4u * z;
    rows[t] = vec4<f16>(vec4f(x_at(b, i + y), x_at(b + 1u, i + y), x_at(b + 2u, i + y), x_at(b + 3u, i + y)));
    columns[t] = vec4<f16>(
      vec4f(kernel_at(i + y, o), kernel_at(i + y, o + 1u), kernel_at(i + y, o + 2u), kernel_at(i + y, o + 3u)),
    );
    workgroupBarrier();
    var p0 = vec4<f16>();
    var p1 = vec4<f16>();
    var p2 = vec4<f16>();
    var p3 = vec4<f16>();
    for (var k = 0u; k < 8u; k++) {
      let r = rows[8u * k + y];
      let w = columns[8u * k + z];
      p0 = fma(vec4<f16>(r.x), w, p0);
      p1 = fma(vec4<f16>(r.y), w, p1);
      p2 = fma(vec4<f16>(r.z), w, p2);
      p3 = fma(vec4<f16>(r.w), w, p3);
    }
    a0 += vec4f(p0);
    a1 += vec4f(p1);
    a2 += vec4f(p2);
    a3 += vec4f(p3);
    workgroupBarrier();
  }
  let b = first_row + 4u * y;
  let o = first_column + 4u * z;
  store(b, o, a0);
  store(b + 1u, o, a1);
  store(b + 2u, o, a2);
  store(b + 3u, o, a3);
}
