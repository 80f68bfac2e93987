// score[r] = sum over d of weights[d] |probe[d] - row_r[d]|: smaller is nearer. Written as a candidate: the score as
// bits that ascend with it as an integer, and the row's index; places after the last row hold the largest of both. Rows
// are stored in blocks of 256; in a block, the first vec4 of all its rows, then the second: adjacent threads read
// adjacent memory. A thread computes four rows of a block, so that each load of the probe and the weights serves four
// rows.
struct Shape {
  VECTORS: u32, // vec4s of a row
  COUNT: u32, // rows of this part
  FIRST: u32, // number of its first row
}

const WORKGROUP: u32 = 64;
const BLOCK: u32 = 256;
const NONE: u32 = 0xffffffffu;

@group(0) @binding(0) var<storage, read> probe: array<vec4f>;
@group(0) @binding(1) var<storage, read> weights: array<vec4f>;
@group(0) @binding(2) var<storage, read> rows: array<vec4f>; // [blocks, VECTORS, BLOCK]
@group(0) @binding(3) var<storage, read_write> candidates: array<vec2u>; // [blocks, BLOCK]
@group(0) @binding(4) var<uniform> shape: Shape;

fn candidate(row: u32, sums: vec4f) -> vec2u {
  let sum = bitcast<u32>(sums.x + sums.y + sums.z + sums.w);
  let bits = select(sum, 0u, sum == 0x80000000u); // -0 is 0
  let ascending = select(bits | 0x80000000u, ~bits, bits >= 0x80000000u);
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
    let w = weights[v];
    sums0 = fma(w, abs(p - rows[at]), sums0);
    sums1 = fma(w, abs(p - rows[at + WORKGROUP]), sums1);
    sums2 = fma(w, abs(p - rows[at + 2u * WORKGROUP]), sums2);
    sums3 = fma(w, abs(p - rows[at + 3u * WORKGROUP]), sums3);
    at += BLOCK;
  }
  let row = group.x * BLOCK + local.x;
  candidates[row] = candidate(row, sums0);
  candidates[row + WORKGROUP] = candidate(row + WORKGROUP, sums1);
  candidates[row + 2u * WORKGROUP] = candidate(row + 2u * WORKGROUP, sums2);
  candidates[row + 3u * WORKGROUP] = candidate(row + 3u * WORKGROUP, sums3);
}
