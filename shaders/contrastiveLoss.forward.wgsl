// output = mean over pairs of same d^2 + (1 - same) max(0, MARGIN - d)^2, d the Euclidean distance
// (Hadsell, Chopra and LeCun 2006). Takes the squared distances.
override COUNT: u32; // examples
override MARGIN: f32;

const WORKGROUP: u32 = 64;

@group(0) @binding(0) var<storage, read> squared: array<f32>;
@group(0) @binding(1) var<storage, read> same: array<f32>;
@group(0) @binding(2) var<storage, read_write> output: array<f32>;

var<workgroup> partial: array<f32, WORKGROUP>;

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(local_invocation_id) local: vec3u) {
  var total = 0.0;
  for (var i = local.x; i < COUNT; i += WORKGROUP) {
    var short = MARGIN - sqrt(squared[i]);
    short = select(short, 0.0, short < 0.0); // max() may drop NaN
    total += same[i] * squared[i] + (1.0 - same[i]) * short * short;
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
