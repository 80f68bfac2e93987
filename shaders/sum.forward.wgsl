// output[g] = FACTOR * sum of x (or of x^2) over the g-th chunk. Each thread strides through the chunk, then the
// workgroup adds its threads as a tree: the order is fixed, and rounding grows with the logarithm of the size. Larger
// sums repeat the launch on its own output. With BASE 1 the one element of `base` is added.
override COUNT: u32;
override CHUNK: u32; // elements per workgroup
override FACTOR: f32 = 1.0;
override SQUARES: u32 = 0u; // 1: sum of x^2
override BASE: u32 = 0u;

const WORKGROUP: u32 = 64;

@group(0) @binding(0) var<storage, read> x: array<f32>;
@group(0) @binding(1) var<storage, read_write> output: array<f32>;
@group(0) @binding(2) var<storage, read> base: array<f32>;

var<workgroup> partial: array<f32, WORKGROUP>;

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_id) local: vec3u) {
  let end = min(COUNT, (group.x + 1u) * CHUNK);
  var total = 0.0;
  for (var i = group.x * CHUNK + local.x; i < end; i += WORKGROUP) {
    total += select(x[i], x[i] * x[i], SQUARES == 1u);
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
    output[group.x] = FACTOR * partial[0] + select(0.0, base[0], BASE == 1u);
  }
}
