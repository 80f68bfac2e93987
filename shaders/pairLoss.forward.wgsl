// The head of the Siamese network for one pair, forward and backward in one pass. a and b are the pair's embeddings
// (rows p and p + PAIRS of the stack):
//   z = bias + sum over i of w[i] |a[i] - b[i]|,  loss term = max(z, 0) - z y + log(1 + exp(-|z|)),
//   d = gradient (sigmoid(z) - y) / PAIRS,  da[i] = d w[i] sign(a[i] - b[i]),  db = -da.
// With SIGMOID 1 the embeddings are sigmoids, and da, db are the gradients before them: times e (1 - e). sigmoid(z) - y
// is computed from t = exp(-|z|) without subtracting nearly equal numbers, and log(1 + t) of small t from its series
// (see sigmoidCrossEntropy). A workgroup computes one pair.
override PAIRS: u32;
override LENGTH: u32; // of an embedding
override SIGMOID: u32 = 0u;

const WORKGROUP: u32 = 64;

@group(0) @binding(0) var<storage, read> embeddings: array<f32>; // [2 PAIRS, LENGTH]
@group(0) @binding(1) var<storage, read> kernel: array<f32>; // [LENGTH]
@group(0) @binding(2) var<storage, read> bias: array<f32>;
@group(0) @binding(3) var<storage, read> labels: array<f32>; // [PAIRS]
@group(0) @binding(4) var<storage, read> gradient: array<f32>; // of the mean loss
@group(0) @binding(5) var<storage, read_write> terms: array<vec2f>; // [PAIRS] of (loss term, d)
@group(0) @binding(6) var<storage, read_write> embedding_gradient: array<f32>; // [2 PAIRS, LENGTH]

var<workgroup> partial: array<f32, WORKGROUP>;

fn log1p(e: f32) -> f32 {
  return select(log(1.0 + e), e * (1.0 - e * (0.5 - e * (1.0 / 3.0 - e * 0.25))), e < 0.02);
}

// exp() may drop NaN. The test uses the bits: WGSL lets a compiler assume that no float is NaN.
fn is_nan(x: f32) -> bool {
  return (bitcast<u32>(x) & 0x7fffffffu) > 0x7f800000u;
}

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) t: u32) {
  let pair = group.x;
  let first = pair * LENGTH;
  let second = (pair + PAIRS) * LENGTH;
  var total = 0.0;
  for (var i = t; i < LENGTH; i += WORKGROUP) {
    total = fma(kernel[i], abs(embeddings[first + i] - embeddings[second + i]), total);
  }
  partial[t] = total;
  workgroupBarrier();
  for (var width = WORKGROUP / 2u; width > 0u; width /= 2u) {
    if (t < width) {
      partial[t] += partial[t + width];
    }
    workgroupBarrier();
  }
  let z = partial[0] + bias[0];
  let y = labels[pair];
  let e = select(exp(-abs(z)), z, is_nan(z));
  let numerator = select(e * (1.0 - y) - y, (1.0 - y) - y * e, z >= 0.0);
  let d = gradient[0] * numerator / ((1.0 + e) * f32(PAIRS));
  if (t == 0u) {
    terms[pair] = vec2f(select(z, 0.0, z < 0.0) - z * y + log1p(e), d);
  }
  for (var i = t; i < LENGTH; i += WORKGROUP) {
    let a = embeddings[first + i];
    let b = embeddings[second + i];
    let difference = a - b;
    let g = d * kernel[i] * select(select(difference, 1.0, difference > 0.0), -1.0, difference < 0.0);
    embedding_gradient[first + i] = select(g, g * a * (1.0 - a), SIGMOID == 1u);
    embedding_gradient[second + i] = select(-g, -g * b * (1.0 - b), SIGMOID == 1u);
  }
}
