// The norm of all gradients, g = gradient + decay w, over the o-th chunk of a parameter arena, as a pair (m, s):
//   m = max |g|;  s = sum of (g / m)^2;  norm = m sqrt(s)
// so that no finite g overflows when squared, and none underflows (the reference BLAS's nrm2). A thread takes one
// element of each block of 64. Elements of a block after the parameter's last one are skipped.
override BLOCKS: u32;
override CHUNK: u32; // blocks per workgroup

const WORKGROUP: u32 = 64;

@group(0) @binding(0) var<storage, read> values: array<f32>;
@group(0) @binding(1) var<storage, read> gradients: array<f32>;
@group(0) @binding(2) var<storage, read> blocks: array<vec2f>; // of each: decay, number of the parameter's elements
@group(0) @binding(3) var<storage, read_write> output: array<vec2f>;

var<workgroup> partial: array<vec2f, WORKGROUP>;

fn combine(a: vec2f, b: vec2f) -> vec2f {
  if (a.x == 0.0) {
    return b;
  }
  if (b.x == 0.0) {
    return a;
  }
  let m = select(a.x, b.x, b.x > a.x); // NaN stays: max() may drop it
  let ra = a.x / m;
  let rb = b.x / m;
  return vec2f(m, a.y * ra * ra + b.y * rb * rb);
}

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_id) local: vec3u) {
  let end = min(BLOCKS, (group.x + 1u) * CHUNK);
  var total = vec2f(0.0);
  for (var at = group.x * CHUNK; at < end; at++) {
    let entry = blocks[at];
    if (f32(local.x) < entry.y) {
      let i = at * WORKGROUP + local.x;
      total = combine(total, vec2f(abs(fma(entry.x, values[i], gradients[i])), 1.0));
    }
  }
  partial[local.x] = total;
  workgroupBarrier();
  for (var width = WORKGROUP / 2u; width > 0u; width /= 2u) {
    if (local.x < width) {
      partial[local.x] = combine(partial[local.x], partial[local.x + width]);
    }
    workgroupBarrier();
  }
  if (local.x == 0u) {
    output[group.x] = partial[0];
  }
}
