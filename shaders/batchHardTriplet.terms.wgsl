// For each anchor a, with the hardest positive p (of a's label, not a, farthest) and the hardest negative n (of another
// label, nearest), d Euclidean:
//   term = max(0, d(a, p) - d(a, n) + MARGIN), or with SOFT 1: ln(1 + exp(d(a, p) - d(a, n)))
// (Hermans, Beyer and Leibe 2017, equation 5). pull[j, a] = d term / d squared(a, j): 0 except for p and n, and if d is
// 0. Among equals the first counts; an anchor without a positive or a negative has no term. `squared` is symmetric:
// adjacent threads read adjacent elements.
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
  var p = COUNT; // none
  var n = COUNT;
  var farthest = 0.0;
  var nearest = 0.0;
  for (var j = 0u; j < COUNT; j++) {
    let d = squared[j * COUNT + a];
    pull[j * COUNT + a] = 0.0;
    if (labels[j] != labels[a]) {
      if (n == COUNT || d < nearest || is_nan(d)) {
        n = j;
        nearest = d;
      }
    } else if (j != a && (p == COUNT || d > farthest || is_nan(d))) {
      p = j;
      farthest = d;
    }
  }
  if (p == COUNT || n == COUNT) {
    terms[a] = vec2f(0.0);
    return;
  }
  let positive = sqrt(farthest);
  let negative = sqrt(nearest);
  let x = positive - negative + MARGIN; // NaN if an embedding is NaN: it must not become 0
  let e = select(exp(-abs(x)), x, is_nan(x)); // exp() may drop NaN
  let hinge = vec2f(select(x, 0.0, x <= 0.0), select(1.0, 0.0, x <= 0.0));
  let soft = vec2f(select(x, 0.0, x <= 0.0) + log1p(e), select(1.0, e, x <= 0.0) / (1.0 + e));
  let term = select(hinge, soft, SOFT == 1u);
  terms[a] = vec2f(term.x, 1.0);
  pull[p * COUNT + a] = select(term.y / (2.0 * positive), 0.0, positive <= 0.0);
  pull[n * COUNT + a] = select(-term.y / (2.0 * negative), 0.0, negative <= 0.0);
}
