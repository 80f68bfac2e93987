// The statistics of inference: moving mean and variance instead of the batch's, and 1 / sqrt(variance + EPSILON).
override CHANNELS: u32;
override EPSILON: f32;

@group(0) @binding(0) var<storage, read> moving_mean: array<f32>;
@group(0) @binding(1) var<storage, read> moving_variance: array<f32>;
@group(0) @binding(2) var<storage, read_write> statistics: array<f32>; // [4, 1, CHANNELS]

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u) {
  let c = id.x;
  if (c < CHANNELS) {
    statistics[c] = moving_mean[c];
    statistics[CHANNELS + c] = moving_variance[c];
    statistics[2u * CHANNELS + c] = 1.0 / sqrt(moving_variance[c] + EPSILON);
    statistics[3u * CHANNELS + c] = 0.0; // moving averages are float32: no remainder
  }
}
