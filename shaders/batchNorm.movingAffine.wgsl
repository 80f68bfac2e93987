// batchNorm.affine for inference: the moving averages instead of the batch's statistics.
override CHANNELS: u32;
override EPSILON: f32;

@group(0) @binding(0) var<storage, read> moving_mean: array<f32>;
@group(0) @binding(1) var<storage, read> moving_variance: array<f32>;
@group(0) @binding(2) var<storage, read> gamma: array<f32>;
@group(0) @binding(3) var<storage, read> beta: array<f32>;
@group(0) @binding(4) var<storage, read_write> affine: array<f32>; // [1, 4, CHANNELS], then [1, CHANNELS] remainders

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u) {
  let c = id.x;
  if (c < CHANNELS) {
    let inverse = 1.0 / sqrt(moving_variance[c] + EPSILON);
    affine[c] = moving_mean[c];
    affine[CHANNELS + c] = gamma[c] * inverse;
    affine[2u * CHANNELS + c] = beta[c];
    affine[3u * CHANNELS + c] = inverse;
    affine[4u * CHANNELS + c] = 0.0; // moving averages are float32: no remainder
  }
}
