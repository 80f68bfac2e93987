// A block of inference applied to the maxima of its convolution x, as three numbers per channel:
//   gamma (x + bias - mean) / sqrt(variance + EPSILON) + beta = (x + folded[0]) folded[1] + folded[2].
// The mean is subtracted from the bias first: in a sum of all three a large mean would cancel all digits.
// The number of channels is in a uniform, so that all blocks share one pipeline.
struct Shape {
  CHANNELS: u32,
  EPSILON: f32,
}

override BIAS: u32 = 0u; // 1: there is one

@group(0) @binding(0) var<storage, read> bias: array<f32>;
@group(0) @binding(1) var<storage, read> moving_mean: array<f32>;
@group(0) @binding(2) var<storage, read> moving_variance: array<f32>;
@group(0) @binding(3) var<storage, read> gamma: array<f32>;
@group(0) @binding(4) var<storage, read> beta: array<f32>;
@group(0) @binding(5) var<storage, read_write> folded: array<f32>; // [3, CHANNELS]
@group(0) @binding(6) var<uniform> shape: Shape;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u) {
  let c = id.x;
  if (c < shape.CHANNELS) {
    folded[c] = select(0.0, bias[c], BIAS == 1u) - moving_mean[c];
    folded[shape.CHANNELS + c] = gamma[c] / sqrt(moving_variance[c] + shape.EPSILON);
    folded[2u * shape.CHANNELS + c] = beta[c];
  }
}
