// d loss / d x = (g - y (g . y)) / norm for each row, y the normalized row. If the norm was clamped to sqrt(EPSILON),
// it does not depend on x: d loss / d x = g / norm.
override COLUMNS: u32;
override EPSILON: f32;

const WORKGROUP: u32 = 64;

@group(0) @binding(0) var<storage, read> output: array<f32>;
@group(0) @binding(1) var<storage, read> norm: array<f32>;
@group(0) @binding(2) var<storage, read> gradient: array<f32>;
@group(0) @binding(3) var<storage, read_write> input_gradient: array<f32>;

var<workgroup> partial: array<f32, WORKGROUP>;

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_id) local: vec3u) {
  let row = group.x * COLUMNS;
  var total = 0.0;
  for (var i = local.x; i < COLUMNS; i += WORKGROUP) {
    total += gradient[row + i] * output[row + i];
  }
  partial[local.x] = total;
  workgroupBarrier();
  for (var width = WORKGROUP / 2u; width > 0u; width /= 2u) {
    if (local.x < width) {
      partial[local.x] += partial[local.x + width];
    }
    workgroupBarrier();
  }
  let length = norm[group.x];
  let along = select(partial[0], 0.0, length <= sqrt(EPSILON));
  for (var i = local.x; i < COLUMNS; i += WORKGROUP) {
    input_gradient[row + i] = (gradient[row + i] - output[row + i] * along) / length;
  }
}
