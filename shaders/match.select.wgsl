// The K lowest candidates of each chunk, in order: by score, then by row index. Each thread keeps the lowest of its
// share, and a tree over the threads finds the lowest of all; only the thread that it came from searches for the next
// one of its share. Nothing is moved or marked. Repeated on its own output until one chunk is left, it selects the K
// lowest of all. Padding holds the largest number in both words.
struct Shape {
  K: u32,
  COUNT: u32, // candidates
  OUT: u32, // where the kept ones of the first chunk go
}

const WORKGROUP: u32 = 64;
const CHUNK: u32 = 4096; // candidates
const NONE = vec2u(0xffffffffu);

@group(0) @binding(0) var<storage, read> candidates: array<vec2u>;
@group(0) @binding(1) var<storage, read_write> kept: array<vec2u>; // K for each chunk
@group(0) @binding(2) var<uniform> shape: Shape;

var<workgroup> least: array<vec2u, WORKGROUP>;

fn before(a: vec2u, b: vec2u) -> bool {
  return a.x < b.x || (a.x == b.x && a.y < b.y);
}

// The lowest of a thread's share that comes after `after`, if given.
fn next(first: u32, end: u32, after: vec2u, any: bool) -> vec2u {
  var best = NONE;
  for (var i = first; i < end; i += WORKGROUP) {
    let candidate = candidates[i];
    if (before(candidate, best) && (any || before(after, candidate))) {
      best = candidate;
    }
  }
  return best;
}

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_id) local: vec3u) {
  let first = group.x * CHUNK + local.x;
  let end = min(shape.COUNT, (group.x + 1u) * CHUNK);
  var best = next(first, end, NONE, true);
  for (var n = 0u; n < shape.K; n++) {
    least[local.x] = best;
    workgroupBarrier();
    for (var width = WORKGROUP / 2u; width > 0u; width /= 2u) {
      if (local.x < width && before(least[local.x + width], least[local.x])) {
        least[local.x] = least[local.x + width];
      }
      workgroupBarrier();
    }
    let taken = least[0];
    if (local.x == 0u) {
      kept[shape.OUT + group.x * shape.K + n] = taken;
    }
    if (all(best == taken) && taken.y != NONE.y) {
      best = next(first, end, taken, false);
    }
    workgroupBarrier(); // before `least` is overwritten
  }
}
