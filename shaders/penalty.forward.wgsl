// output[g] = sum of decay w^2 / 2 over the g-th chunk of a parameter arena: the L2 penalties of all parameters in one
// launch. Each block of 64 elements has one decay (parameters start at blocks). A workgroup reads four blocks at a time
// as vec4s, skips blocks without a penalty, and adds its threads as a tree. Elements of a block after the parameter's
// last one are not summed: kernels that write vec4s leave undefined values there.
override BLOCKS: u32;
override CHUNK: u32; // blocks per workgroup

const WORKGROUP: u32 = 64;

@group(0) @binding(0) var<storage, read> values: array<vec4f>;
@group(0) @binding(1) var<storage, read> blocks: array<vec2f>; // of each: decay, number of the parameter's elements
@group(0) @binding(2) var<storage, read_write> output: array<f32>;

var<workgroup> partial: array<f32, WORKGROUP>;

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_id) local: vec3u) {
  let end = min(BLOCKS, (group.x + 1u) * CHUNK) * 16u;
  var total = 0.0;
  for (var i = group.x * CHUNK * 16u + local.x; i < end; i += WORKGROUP) {
    let entry = blocks[i / 16u];
    if (entry.x != 0.0) {
      let position = vec4f(f32(i % 16u * 4u)) + vec4f(0.0, 1.0, 2.0, 3.0);
      let w = select(vec4f(), values[i], vec4f(entry.y) > position);
      total += 0.5 * entry.x * dot(w, w);
    }
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
