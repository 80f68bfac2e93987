// moving = MOMENTUM moving + (1 - MOMENTUM) statistic, for mean and variance, once per group: two branches that share
// the layer update it twice, as two calls would.
override CHANNELS: u32;
override GROUPS: u32;
override MOMENTUM: f32;

@group(0) @binding(0) var<storage, read> statistics: array<f32>; // [4, GROUPS, CHANNELS]: mean, variance, ...
@group(0) @binding(1) var<storage, read_write> moving_mean: array<f32>;
@group(0) @binding(2) var<storage, read_write> moving_variance: array<f32>;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u) {
  let c = id.x;
  if (c >= CHANNELS) {
    return;
  }
  for (var group = 0u; group < GROUPS; group++) {
    let i = group * CHANNELS + c;
    moving_mean[c] = MOMENTUM * moving_mean[c] + (1.0 - MOMENTUM) * statistics[i];
    moving_variance[c] = MOMENTUM * moving_variance[c] + (1.0 - MOMENTUM) * statistics[GROUPS * CHANNELS + i];
  }
}
