// Gradient descent with momentum (Sutskever et al. 2013; the form of PyTorch's torch.optim.SGD), all parameters of an
// arena in one launch; g includes the L2 penalties:
//   g = clip (gradient + decay w)
//   v = momentum v + g
//   w -= learning rate * v, or with Nesterov's momentum learning rate * (g + momentum v)
// schedule.x is the learning rate. If an element of the gradient is not finite, schedule.z, the run's number, is
// written to fault. The test uses the bits: WGSL lets a compiler assume that no float is NaN or infinite.
override COUNT: u32; // vec4s
override ROW: u32; // threads in one row of the grid
override MOMENTUM: f32;
override NESTEROV: u32; // 1: Nesterov's

@group(0) @binding(0) var<storage, read_write> values: array<vec4f>;
@group(0) @binding(1) var<storage, read> gradients: array<vec4f>;
@group(0) @binding(2) var<storage, read_write> velocity: array<vec4f>; // unused if MOMENTUM is 0
@group(0) @binding(3) var<uniform> schedule: vec4f;
@group(0) @binding(4) var<storage, read> blocks: array<vec2f>; // per 64 elements: decay, count of elements
@group(0) @binding(5) var<storage, read> clip: array<f32>;
@group(0) @binding(6) var<storage, read_write> fault: atomic<u32>;

const EXPONENT = vec4u(0x7f800000u); // all these bits are set in NaN and infinity

fn finite(x: vec4f) -> vec4<bool> {
  return (bitcast<vec4u>(x) & EXPONENT) != EXPONENT;
}

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u) {
  let i = id.y * ROW + id.x;
  if (i < COUNT) {
    let entry = blocks[i / 16u];
    let raw = fma(vec4f(entry.x), values[i], gradients[i]);
    let position = vec4f(f32(i % 16u * 4u)) + vec4f(0.0, 1.0, 2.0, 3.0);
    let within = vec4f(entry.y) > position;
    if (any(within & !finite(raw))) {
      atomicStore(&fault, bitcast<u32>(schedule.z));
    }
    let g = clip[0] * raw;
    var direction = g;
    if (MOMENTUM > 0.0) {
      let v = MOMENTUM * velocity[i] + g;
      velocity[i] = v;
      direction = select(v, g + MOMENTUM * v, NESTEROV == 1u);
    }
    values[i] -= schedule.x * direction;
  }
}
