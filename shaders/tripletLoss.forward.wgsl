// output = mean over triplets of max(0, d(a, p)^2 - d(a, n)^2 + MARGIN) (FaceNet, Schroff et al. 2015). Takes the
// squared distances.
override COUNT: u32; // examples
override MARGIN: f32;

const WORKGROUP: u32 = 64;

@group(0) @binding(0) var<storage, read> squared_positive: array<f32>;
@group(0) @binding(1) var<storage, read> squared_negative: array<f32>;
@group(0) @binding(2) var<storage, read_write> output: array<f32>;

var<workgroup> partial: array<f32, WORKGROUP>;

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(local_invocation_id) local: vec3u) {
  var total = 0.0;
  for (var i = local.x; i < COUNT; i += WORKGROUP) {
    let term = squared_positive[i] - squared_negative[i] + MARGIN;
    total += select(term, 0.0, term < 0.0); // max() may drop NaN
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
