// For each anchor a with positives P (of a's label, not a), s_j = -|x_a - x_j|^2 / (2 TEMPERATURE):
//   term = -1 / |P| * sum over p in P of (s_p - ln(sum over j != a of exp(s_j)))
// (Khosla et al. 2020, equation 2; NT-Xent if each identity has two pictures). For unit vectors s_j = (x_a . x_j - 1) /
// TEMPERATURE, and the 1 cancels. pull[j, a] = d term / d squared(a, j) = ([j in P] / |P| - q_j) / (2 TEMPERATURE), q
// the softmax of s over j != a. An anchor without a positive has no term. `squared` is symmetric: adjacent threads read
// adjacent elements.
override COUNT: u32; // anchors
override TEMPERATURE: f32;

@group(0) @binding(0) var<storage, read> squared: array<f32>;
@group(0) @binding(1) var<storage, read> labels: array<f32>;
@group(0) @binding(2) var<storage, read_write> terms: array<vec2f>; // term, whether it counts
@group(0) @binding(3) var<storage, read_write> pull: array<f32>;

// exp() and log() may drop NaN. The test uses the bits: WGSL lets a compiler assume that no float is NaN.
fn is_nan(x: f32) -> bool {
  return (bitcast<u32>(x) & 0x7fffffffu) > 0x7f800000u;
}

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u) {
  let a = id.x;
  if (a >= COUNT) {
    return;
  }
  let scale = 0.5 / TEMPERATURE;
  var nearest = a; // its s is the largest: subtracted, so that no exp overflows
  var positives = 0.0;
  for (var j = 0u; j < COUNT; j++) {
    if (j != a) {
      if (nearest == a || squared[j * COUNT + a] < squared[nearest * COUNT + a]) {
        nearest = j;
      }
      positives += select(0.0, 1.0, labels[j] == labels[a]);
    }
  }
  let least = squared[nearest * COUNT + a];
  var sum = 0.0;
  var along = 0.0; // sum over P of s_p, the largest s subtracted
  for (var j = 0u; j < COUNT; j++) {
    if (j != a) {
      let s = (least - squared[j * COUNT + a]) * scale;
      sum += select(exp(s), s, is_nan(s));
      along += select(0.0, s, labels[j] == labels[a]);
    }
  }
  let counts = positives > 0.0;
  terms[a] = select(vec2f(0.0), vec2f(select(log(sum), sum, is_nan(sum)) - along / positives, 1.0), counts);
  for (var j = 0u; j < COUNT; j++) {
    let s = (least - squared[j * COUNT + a]) * scale;
    let q = select(exp(s), s, is_nan(s)) / sum;
    let target_share = select(0.0, 1.0 / positives, labels[j] == labels[a]);
    pull[j * COUNT + a] = select(0.0, (target_share - q) * scale, counts && j != a);
  }
}
