// output = x / norm with norm = sqrt(max(sum of x^2 over the row, EPSILON)); the norm of each row is stored for the
// backward pass. One workgroup per row; its threads' sums are added as a tree.
override COLUMNS: u32;
override EPSILON: f32;

const WORKGROUP: u32 = 64;

@group(0) @binding(0) var<storage, read> x: array<f32>;
@group(0) @binding(1) var<storage, read_write> output: array<f32>;
@group(0) @binding(2) var<storage, read_write> norm: array<f32>;

var<workgroup> partial: array<f32, WORKGROUP>;

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_id) local: vec3u) {
  let row = group.x * COLUMNS;
  var total = 0.0;
  for (var i = local.x; i < COLUMNS; i += WORKGROUP) {
    total += x[row + i] * x[row + i];
  }
  partial[local.x] = total;
  workgroupBarrier();
  for (var width = WORKGROUP / 2u; width > 0u; width /= 2u) {
    if (local.x < width) {
      partial[local.x] += partial[local.x + width];
    }
    workgroupBarrier();
  }
  let length = sqrt(select(partial[0], EPSILON, partial[0] < EPSILON));
  for (var i = local.x; i < COLUMNS; i += WORKGROUP) {
    output[row + i] = x[row + i] / length;
  }
  if (local.x == 0u) {
    norm[group.x] = length;
  }
}
