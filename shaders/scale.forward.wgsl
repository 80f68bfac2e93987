// output = FACTOR * x, element-wise; four per thread. The gradient of scale is scale again.
// Compilers fold 0 * x to 0, which is wrong where x is NaN or infinite.
override COUNT: u32; // vec4s
override ROW: u32; // threads in one row of the grid
override FACTOR: f32;

@group(0) @binding(0) var<storage, read> x: array<vec4f>;
@group(0) @binding(1) var<storage, read_write> output: array<vec4f>;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u) {
  let i = id.y * ROW + id.x;
  if (i < COUNT) {
    let exponents = bitcast<vec4u>(x[i]) & vec4u(0x7f800000);
    let odd = vec4<bool>(FACTOR == 0) & (exponents == vec4u(0x7f800000));
    output[i] = select(FACTOR * x[i], bitcast<vec4f>(exponents | vec4u(1 << 22)), odd);
  }
}
