// Adds the parts' sums of batchNorm.gradientSums: s1 = sum of g, s2 = sum of g xhat, per group and channel, and writes
// the coefficients of the input gradient  scale (g - c1 - (x - mean) c2):  c1 = s1 / n, c2 = s2 / (n deviation), n
// values in a group; in inference, where the statistics are constants, both are 0. Over all groups: d loss / d beta =
// sum of s1, d loss / d gamma = sum of s2, and for a bias before the normalization the sum of the input gradient: scale
// s1 in inference and exactly 0 in training, where batch statistics cancel any bias. The parts and the readers know the
// mean only rounded (batchNorm.affine); its remainder is corrected here, in s2 and, for the readers, in c1: s2 - s1
// rest / deviation, and c1 - rest c2. A workgroup computes four channels: each thread every 64th part, then a tree.
// Extents are in a uniform, so that all layers share one pipeline.
struct Shape {
  CHANNELS: u32, // vec4s
  PARTS: u32, // of one group
  GROUPS: u32,
  N: f32,
}

override TRAINING: u32;

const WORKGROUP: u32 = 64;

@group(0) @binding(0) var<storage, read> partial: array<vec4f>; // [GROUPS, PARTS, 2, CHANNELS]
@group(0) @binding(1) var<storage, read> affine: array<vec4f>; // see batchNorm.affine
@group(0) @binding(2) var<storage, read_write> coefficients: array<vec4f>; // [GROUPS, 2, CHANNELS]
@group(0) @binding(3) var<storage, read_write> gamma_gradient: array<vec4f>;
@group(0) @binding(4) var<storage, read_write> beta_gradient: array<vec4f>;
@group(0) @binding(5) var<storage, read_write> bias_gradient: array<vec4f>;
@group(0) @binding(6) var<uniform> shape: Shape;

var<workgroup> s1: array<vec4f, WORKGROUP>;
var<workgroup> s2: array<vec4f, WORKGROUP>;

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(workgroup_id) id: vec3u, @builtin(local_invocation_index) t: u32) {
  let c = id.x;
  var all1 = vec4f();
  var all2 = vec4f();
  var bias = vec4f();
  for (var group = 0u; group < shape.GROUPS; group++) {
    var sum1 = vec4f();
    var sum2 = vec4f();
    for (var part = t; part < shape.PARTS; part += WORKGROUP) {
      let at = (group * shape.PARTS + part) * 2u * shape.CHANNELS + c;
      sum1 += partial[at];
      sum2 += partial[at + shape.CHANNELS];
    }
    s1[t] = sum1;
    s2[t] = sum2;
    workgroupBarrier();
    for (var width = WORKGROUP / 2u; width > 0u; width /= 2u) {
      if (t < width) {
        s1[t] += s1[t + width];
        s2[t] += s2[t + width];
      }
      workgroupBarrier();
    }
    if (t == 0u) {
      let training = select(0.0, 1.0 / shape.N, TRAINING == 1u);
      let inverse = affine[(group * 4u + 3u) * shape.CHANNELS + c];
      let rest = affine[(shape.GROUPS * 4u + group) * shape.CHANNELS + c];
      let sum2 = s2[0] - s1[0] * rest * inverse;
      let c2 = sum2 * training * inverse;
      coefficients[group * 2u * shape.CHANNELS + c] = s1[0] * training - rest * c2;
      coefficients[(group * 2u + 1u) * shape.CHANNELS + c] = c2;
      all1 += s1[0];
      all2 += sum2;
      bias += s1[0] * affine[(group * 4u + 1u) * shape.CHANNELS + c];
    }
    workgroupBarrier();
  }
  if (t == 0u) {
    beta_gradient[c] = all1;
    gamma_gradient[c] = all2;
    bias_gradient[c] = select(bias, vec4f(), TRAINING == 1u);
  }
}
