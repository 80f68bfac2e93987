// d loss / d z = gradient * (sigmoid(z) - y) / n, from t = exp(-|z|) and without subtracting nearly equal numbers:
// z >= 0: ((1 - y) - y t) / (1 + t);  z < 0: (t (1 - y) - y) / (1 + t).
override COUNT: u32; // elements
override ROW: u32; // threads in one row of the grid

@group(0) @binding(0) var<storage, read> logits: array<f32>;
@group(0) @binding(1) var<storage, read> labels: array<f32>;
@group(0) @binding(2) var<storage, read> gradient: array<f32>;
@group(0) @binding(3) var<storage, read_write> input_gradient: array<f32>;

// exp() may drop NaN. The test uses the bits: WGSL lets a compiler assume that no float is NaN.
fn is_nan(x: f32) -> bool {
  return (bitcast<u32>(x) & 0x7fffffffu) > 0x7f800000u;
}

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u) {
  let i = id.y * ROW + id.x;
  if (i < COUNT) {
    let z = logits[i];
    let y = labels[i];
    let t = select(exp(-abs(z)), z, is_nan(z));
    let numerator = select(t * (1.0 - y) - y, (1.0 - y) - y * t, z >= 0.0);
    input_gradient[i] = gradient[0] * numerator / ((1.0 + t) * f32(COUNT));
  }
}
