// output[r] = sum over columns of (a[r] - b[r])^2. One workgroup per row.
override COLUMNS: u32;

const WORKGROUP: u32 = 64;

@group(0) @binding(0) var<storage, read> a: array<f32>;
@group(0) @binding(1) var<storage, read> b: array<f32>;
@group(0) @binding(2) var<storage, read_write> output: array<f32>;

var<workgroup> partial: array<f32, WORKGROUP>;

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_id) local: vec3u) {
  let row = group.x * COLUMNS;
  var total = 0.0;
  for (var i = local.x; i < COLUMNS; i += WORKGROUP) {
    let difference = a[row + i] - b[row + i];
    total += difference * difference;
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
    output[group.x] = partial[0];
  }
}
