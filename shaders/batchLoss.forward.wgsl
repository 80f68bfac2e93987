// output = sum of the anchors' terms / number of anchors that count; share = 1 / that number. Both are 0 if none
// counts: a batch without a positive pair, or with one identity.
override COUNT: u32; // anchors

const WORKGROUP: u32 = 64;

@group(0) @binding(0) var<storage, read> terms: array<vec2f>; // term, whether it counts
@group(0) @binding(1) var<storage, read_write> output: array<f32>;
@group(0) @binding(2) var<storage, read_write> share: array<f32>;

var<workgroup> partial: array<vec2f, WORKGROUP>;

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(local_invocation_id) local: vec3u) {
  var total = vec2f(0.0);
  for (var i = local.x; i < COUNT; i += WORKGROUP) {
    total += terms[i];
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
    let count = max(1.0, partial[0].y);
    output[0] = partial[0].x / count;
    share[0] = 1.0 / count;
  }
}
