// output = (x - mean) / sqrt(variance + EPSILON) for each picture and channel separately, with the variance over all
// its PIXELS. One workgroup per picture and channel; its threads' sums are added as a tree, deviations after the mean
// is known.
override PIXELS: u32; // height x width
override CHANNELS: u32;
override EPSILON: f32;

const WORKGROUP: u32 = 64;

@group(0) @binding(0) var<storage, read> x: array<f32>;
@group(0) @binding(1) var<storage, read_write> output: array<f32>;

var<workgroup> partial: array<f32, WORKGROUP>;

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_id) local: vec3u) {
  let first = group.y * PIXELS * CHANNELS + group.x;
  var total = 0.0;
  for (var i = local.x; i < PIXELS; i += WORKGROUP) {
    total += x[first + i * CHANNELS];
  }
  partial[local.x] = total;
  workgroupBarrier();
  for (var width = WORKGROUP / 2u; width > 0u; width /= 2u) {
    if (local.x < width) {
      partial[local.x] += partial[local.x + width];
    }
    workgroupBarrier();
  }
  let mean = partial[0] / f32(PIXELS);
  workgroupBarrier(); // all threads have read the mean before it is overwritten

  total = 0.0;
  for (var i = local.x; i < PIXELS; i += WORKGROUP) {
    let deviation = x[first + i * CHANNELS] - mean;
    total += deviation * deviation;
  }
  partial[local.x] = total;
  workgroupBarrier();
  for (var width = WORKGROUP / 2u; width > 0u; width /= 2u) {
    if (local.x < width) {
      partial[local.x] += partial[local.x + width];
    }
    workgroupBarrier();
  }
  let deviation = sqrt(partial[0] / f32(PIXELS) + EPSILON);
  for (var i = local.x; i < PIXELS; i += WORKGROUP) {
    output[first + i * CHANNELS] = (x[first + i * CHANNELS] - mean) / deviation;
  }
}
