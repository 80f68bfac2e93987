// For each anchor a and each of its positives p, with n the nearest negative that is farther than p, or the farthest
// negative if there is no such n, d Euclidean:
//   term of a = sum over p of max(0, d(a, p)^2 - d(a, n)^2 + MARGIN), or with SOFT 1 of
//   ln(1 + exp(d(a, p)^2 - d(a, n)^2))
// (FaceNet, Schroff et al. 2015; without a semi-hard negative as TensorFlow Addons' TripletSemiHardLoss). pull[j, a] =
// d term / d squared(a, j). Among equals the first counts; an anchor without a negative has no term. `squared` is
// symmetric: adjacent threads read adjacent elements.
override COUNT: u32; // anchors
override MARGIN: f32;
override SOFT: u32;

@group(0) @binding(0) var<storage, read> squared: array<f32>;
@group(0) @binding(1) var<storage, read> labels: array<f32>;
@group(0) @binding(2) var<storage, read_write> terms: array<vec2f>; // term, whether it counts
@group(0) @binding(3) var<storage, read_write> pull: array<f32>;

fn log1p(e: f32) -> f32 {
  return select(log(1.0 + e), e * (1.0 - e * (0.5 - e * (1.0 / 3.0 - e * 0.25))), e < 0.02);
}

// The test uses the bits: WGSL lets a compiler assume that no float is NaN.
fn is_nan(x: f32) -> bool {
  return (bitcast<u32>(x) & 0x7fffffffu) > 0x7f800000u;
}

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u) {
  let a = id.x;
  if (a >= COUNT) {
    return;
  }
  var farthest = COUNT; // none
  for (var j = 0u; j < COUNT; j++) {
    let d = squared[j * COUNT + a];
    pull[j * COUNT + a] = 0.0;
    if (labels[j] != labels[a] && (farthest == COUNT || d > squared[farthest * COUNT + a] || is_nan(d))) {
      farthest = j;
    }
  }
  var total = vec2f(0.0);
  if (farthest != COUNT) {
    for (var p = 0u; p < COUNT; p++) {
      if (p == a || labels[p] != labels[a]) {
        continue;
      }
      let positive = squared[p * COUNT + a];
      var n = farthest;
      var negative = squared[farthest * COUNT + a];
      var found = false;
      for (var j = 0u; j < COUNT; j++) {
        let d = squared[j * COUNT + a];
        if (labels[j] != labels[a] && (is_nan(d) || (d > positive && (!found || d < negative)))) {
          found = true;
          n = j;
          negative = d;
        }
      }
      let x = positive - negative + MARGIN; // NaN if an embedding is NaN: it must not become 0
      let e = select(exp(-abs(x)), x, is_nan(x)); // exp() may drop NaN
      let hinge = vec2f(select(x, 0.0, x <= 0.0), select(1.0, 0.0, x <= 0.0));
      let soft = vec2f(select(x, 0.0, x <= 0.0) + log1p(e), select(1.0, e, x <= 0.0) / (1.0 + e));
      let term = select(hinge, soft, SOFT == 1u);
      total += vec2f(term.x, 1.0);
      pull[p * COUNT + a] += term.y;
      pull[n * COUNT + a] -= term.y;
    }
  }
  terms[a] = total;
}
