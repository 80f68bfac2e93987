// score[r] = sum over d of (probe[d] - row_r[d])^2, the squared Euclidean distance. Otherwise as match.weighted.
struct Shape {
  VECTORS: u32, // vec4s of a row
  COUNT: u32, // rows of this part
  FIRST: u32, // number of its first row
}

const WORKGROUP: u32 = 64;
const BLOCK: u32 = 256;
const NONE: u32 = 0xffffffffu;

@group(0) @binding(0) var<storage, read> probe: array<vec4f>;
@group(0) @binding(1) var<storage, read> rows: array<vec4f>; // [blocks, VECTORS, BLOCK]
@group(0) @binding(2) var<storage, read_write> candidates: array<vec2u>; // [blocks, BLOCK]
@group(0) @binding(3) var<uniform> shape: Shape;

fn candidate(row: u32, sums: vec4f) -> vec2u {
  let ascending = bitcast<u32>(sums.x + sums.y + sums.z + sums.w) | 0x80000000u; // never negative
  return select(vec2u(NONE), vec2u(ascending, shape.FIRST + row), row < shape.COUNT);
}

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_id) local: vec3u) {
  var sums0 = vec4f();
  var sums1 = vec4f();
  var sums2 = vec4f();
  var sums3 = vec4f();
  var at = group.x * BLOCK * shape.VECTORS + local.x;
  for (var v = 0u; v < shape.VECTORS; v++) {
    let p = probe[v];
    let difference0 = p - rows[at];
    sums0 = fma(difference0, difference0, sums0);
    let difference1 = p - rows[at + WORKGROUP];
    sums1 = fma(difference1, difference1, sums1);
    let difference2 = p - rows[at + 2u * WORKGROUP];
    sums2 = fma(difference2, difference2, sums2);
    let difference3 = p - rows[at + 3u * WORKGROUP];
    sums3 = fma(difference3, difference3, sums3);
    at += BLOCK;
  }
  let row = group.x * BLOCK + local.x;
  candidates[row] = candidate(row, sums0);
  candidates[row + WORKGROUP] = candidate(row + WORKGROUP, sums1);
  candidates[row + 2u * WORKGROUP] = candidate(row + 2u * WORKGROUP, sums2);
  candidates[row + 3u * WORKGROUP] = candidate(row + 3u * WORKGROUP, sums3);
}
