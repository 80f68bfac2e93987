// output = mean over examples of max(z, 0) - z y + log(1 + exp(-|z|)), z the logit and y the label
// (tf.nn.sigmoid_cross_entropy_with_logits). exp never overflows, and for small e, log(1 + e) is taken from its series,
// because 1 + e would lose e. One workgroup: a batch is small.
override COUNT: u32; // examples

const WORKGROUP: u32 = 64;

@group(0) @binding(0) var<storage, read> logits: array<f32>;
@group(0) @binding(1) var<storage, read> labels: array<f32>;
@group(0) @binding(2) var<storage, read_write> output: array<f32>;

var<workgroup> partial: array<f32, WORKGROUP>;

fn log1p(e: f32) -> f32 {
  return select(log(1.0 + e), e * (1.0 - e * (0.5 - e * (1.0 / 3.0 - e * 0.25))), e < 0.02);
}

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(local_invocation_id) local: vec3u) {
  var total = 0.0;
  for (var i = local.x; i < COUNT; i += WORKGROUP) {
    let z = logits[i];
    total += select(z, 0.0, z < 0.0) - z * labels[i] + log1p(exp(-abs(z)));
  }
  partial[local.x] = total;
  workgroupBarrier();
  for (var width = WORKGROUP / 2u; width > 0u; width /= 2u) {
    if (local.x < width) {
      partial[local.x] += partial[local.x + width];
    }
    workgroupBarrier();
  }
  if (local.x == 0u) {
    output[0] = partial[0] / f32(COUNT);
  }
}
