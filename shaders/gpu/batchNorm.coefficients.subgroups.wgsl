// The same as batchNorm.coefficients for GPUs with subgroups, with one barrier instead of the seven of a tree over 64
// threads: s1 = sum of g, s2 = sum of g xhat, per group and channel, and from them the coefficients of the input
// gradient
//   scale (g - c1 - (x - mean) c2):  c1 = s1 / n, c2 = s2 / (n deviation)
// and the gradients of gamma, beta and a preceding bias. See there for the mean's remainder. A workgroup computes four
// channels.
enable subgroups;

struct Shape {
  CHANNELS: u32, // vec4s
  PARTS: u32, // of one group
  GROUPS: u32,
  N: f32,
}

override TRAINING: u32;

@group(0) @binding(0) var<storage, read> partial: array<vec4f>; // [GROUPS, PARTS, 2, CHANNELS]
@group(0) @binding(1) var<storage, read> affine: array<vec4f>; // see batchNorm.affine
@group(0) @binding(2) var<storage, read_write> coefficients: array<vec4f>; // [GROUPS, 2, CHANNELS]
@group(0) @binding(3) var<storage, read_write> gamma_gradient: array<vec4f>;
@group(0) @binding(4) var<storage, read_write> beta_gradient: array<vec4f>;
@group(0) @binding(5) var<storage, read_write> bias_gradient: array<vec4f>;
@group(0) @binding(6) var<uniform> shape: Shape;

// As in columnSum.subgroups: a subgroup's sums at the index of its first thread.
var<workgroup> sums1: array<vec4f, 64>;
var<workgroup> sums2: array<vec4f, 64>;

@compute @workgroup_size(64)
fn main(
  @builtin(workgroup_id) id: vec3u,
  @builtin(local_invocation_index) t: u32,
  @builtin(subgroup_invocation_id) lane: u32,
  @builtin(subgroup_size) size: u32,
) {
  let c = id.x;
  var all1 = vec4f();
  var all2 = vec4f();
  var bias = vec4f();
  for (var group = 0u; group < shape.GROUPS; group++) {
    var s1 = vec4f();
    var s2 = vec4f();
    for (var part = t; part < shape.PARTS; part += 64u) {
      let at = (group * shape.PARTS + part) * 2u * shape.CHANNELS + c;
      s1 += partial[at];
      s2 += partial[at + shape.CHANNELS];
    }
    s1 = subgroupAdd(s1);
    s2 = subgroupAdd(s2);
    workgroupBarrier(); // the previous group's sums have been read
    if (lane == 0u) {
      sums1[t] = s1;
      sums2[t] = s2;
    }
    workgroupBarrier();
    s1 = vec4f();
    s2 = vec4f();
    for (var i = lane; i < 64u; i += size) {
      s1 += sums1[i];
      s2 += sums2[i];
    }
    s1 = subgroupAdd(s1);
    s2 = subgroupAdd(s2);
    if (t == 0u) {
      let training = select(0.0, 1.0 / shape.N, TRAINING == 1u);
      let inverse = affine[(group * 4u + 3u) * shape.CHANNELS + c];
      let rest = affine[(shape.GROUPS * 4u + group) * shape.CHANNELS + c];
      s2 -= s1 * rest * inverse;
      let c2 = s2 * training * inverse;
      coefficients[group * 2u * shape.CHANNELS + c] = s1 * training - rest * c2;
      coefficients[(group * 2u + 1u) * shape.CHANNELS + c] = c2;
      all1 += s1;
      all2 += s2;
      bias += s1 * affine[(group * 4u + 1u) * shape.CHANNELS + c];
    }
  }
  if (t == 0u) {
    beta_gradient[c] = all1;
    gamma_gradient[c] = all2;
    bias_gradient[c] = select(bias, vec4f(), TRAINING == 1u);
  }
}
