// The same as columnSum.forward for GPUs with subgroups, COLUMNS a multiple of 4: output[p, c] = sum of x[r, c] over
// the p-th chunk of rows. A workgroup computes one chunk and four columns: each thread every 64th row, then a sum over
// the subgroup, and over the subgroups. Long columns take one launch instead of two.
enable subgroups;

override ROWS: u32;
override COLUMNS: u32; // vec4s
override CHUNK: u32; // rows per workgroup

@group(0) @binding(0) var<storage, read> x: array<vec4f>;
@group(0) @binding(1) var<storage, read_write> output: array<vec4f>;

// A subgroup's sum is stored at the index of its first thread, with zeros at the others: the adapter decides which
// threads form a subgroup, and how many (4 to 128). Every subgroup can read them all.
var<workgroup> sums: array<vec4f, 64>;

@compute @workgroup_size(64)
fn main(
  @builtin(workgroup_id) id: vec3u,
  @builtin(local_invocation_index) t: u32,
  @builtin(subgroup_invocation_id) lane: u32,
  @builtin(subgroup_size) size: u32,
) {
  let last = min((id.y + 1u) * CHUNK, ROWS);
  var total = vec4f();
  for (var r = id.y * CHUNK + t; r < last; r += 64u) {
    total += x[r * COLUMNS + id.x];
  }
  total = subgroupAdd(total);
  if (lane == 0u) {
    sums[t] = total;
  }
  workgroupBarrier();
  total = vec4f();
  for (var i = lane; i < 64u; i += size) {
    total += sums[i];
  }
  total = subgroupAdd(total);
  if (t == 0u) {
    output[id.y * COLUMNS + id.x] = total;
  }
}
