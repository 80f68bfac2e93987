// Adam (Kingma and Ba 2015, algorithm 1) and AdamW (Loshchilov and Hutter 2019), all parameters of an arena in one
// launch; g includes the L2 penalties:
//   g = clip (gradient + decay w)
//   m = beta1 m + (1 - beta1) g;  v = beta2 v + (1 - beta2) g^2
//   w -= learning rate * weight decay * w, for AdamW
//   w -= learning rate * (m / (1 - beta1^t)) / (sqrt(v / (1 - beta2^t)) + epsilon)
// schedule.x = learning rate / (1 - beta1^t) and schedule.y = 1 / sqrt(1 - beta2^t) come from the host in float64;
// schedule.w = learning rate * weight decay, 0 for Adam. If an element of the gradient is not finite, schedule.z, the
// run's number, is written to fault. The test uses the bits: WGSL lets a compiler assume that no float is NaN or
// infinite.
override COUNT: u32; // vec4s
override ROW: u32; // threads in one row of the grid
override BETA1: f32;
override BETA2: f32;
override ONE_MINUS_BETA1: f32; // from float64: in float32, 1 - 0.999 keeps only 5 digits
override ONE_MINUS_BETA2: f32;
override EPSILON: f32;

@group(0) @binding(0) var<storage, read_write> values: array<vec4f>;
@group(0) @binding(1) var<storage, read> gradients: array<vec4f>;
@group(0) @binding(2) var<storage, read_write> first_moment: array<vec4f>;
@group(0) @binding(3) var<storage, read_write> second_moment: array<vec4f>;
@group(0) @binding(4) var<uniform> schedule: vec4f;
@group(0) @binding(5) var<storage, read> blocks: array<vec2f>; // per 64 elements: decay, count of elements
@group(0) @binding(6) var<storage, read> clip: array<f32>;
@group(0) @binding(7) var<storage, read_write> fault: atomic<u32>;

const EXPONENT = vec4u(0x7f800000u); // all these bits are set in NaN and infinity

fn finite(x: vec4f) -> vec4<bool> {
  return (bitcast<vec4u>(x) & EXPONENT) != EXPONENT;
}

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u) {
  let i = id.y * ROW + id.x;
  if (i < COUNT) {
    let entry = blocks[i / 16u];
    let w = values[i];
    let raw = fma(vec4f(entry.x), w, gradients[i]);
    let position = vec4f(f32(i % 16u * 4u)) + vec4f(0.0, 1.0, 2.0, 3.0);
    let within = vec4f(entry.y) > position;
    if (any(within & !finite(raw))) {
      atomicStore(&fault, bitcast<u32>(schedule.z));
    }
    let g = clip[0] * raw;
    let m = BETA1 * first_moment[i] + ONE_MINUS_BETA1 * g;
    let v = BETA2 * second_moment[i] + ONE_MINUS_BETA2 * g * g;
    first_moment[i] = m;
    second_moment[i] = v;
    let kept = fma(vec4f(-schedule.w), w, w);
    values[i] = kept - schedule.x * m / (sqrt(v) * schedule.y + EPSILON);
  }
}
