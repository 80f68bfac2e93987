// Adam (Kingma and Ba 2015, algorithm 1), all parameters of an arena in one launch; g includes the L2 penalties' part:
//   g = gradient + decay w
//   m = beta1 m + (1 - beta1) g;  v = beta2 v + (1 - beta2) g^2
//   w -= learning rate * (m / (1 - beta1^t)) / (sqrt(v / (1 - beta2^t)) + epsilon)
// schedule.x = learning rate / (1 - beta1^t) and schedule.y = 1 / sqrt(1 - beta2^t) come from the host in float64.
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
@group(0) @binding(5) var<storage, read> decay: array<f32>; // one for each 64 elements

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u) {
  let i = id.y * ROW + id.x;
  if (i < COUNT) {
    let g = fma(vec4f(decay[i / 16u]), values[i], gradients[i]);
    let m = BETA1 * first_moment[i] + ONE_MINUS_BETA1 * g;
    let v = BETA2 * second_moment[i] + ONE_MINUS_BETA2 * g * g;
    first_moment[i] = m;
    second_moment[i] = v;
    values[i] -= schedule.x * m / (sqrt(v) * schedule.y + EPSILON);
  }
}
