// output = 1 / (1 + exp(-x)), element-wise, four per thread. Where x is clamped, the result is 0 or 1 to within a
// subnormal.
override COUNT: u32; // vec4s
override ROW: u32; // threads in one row of the grid

@group(0) @binding(0) var<storage, read> x: array<vec4f>;
@group(0) @binding(1) var<storage, read_write> output: array<vec4f>;

// x is clamped where exp would overflow. NaN bypasses clamp() and exp(), which may drop it. The test uses the bits:
// WGSL lets a compiler assume that no float is NaN.
fn logistic(x: vec4f) -> vec4f {
  let y = 1.0 / (1.0 + exp(-clamp(x, vec4f(-87.0), vec4f(87.0))));
  return select(y, x, (bitcast<vec4i>(x) & vec4i(0x7fffffff)) > vec4i(0x7f800000));
}

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u) {
  let i = id.y * ROW + id.x;
  if (i < COUNT) {
    output[i] = logistic(x[i]);
  }
}
