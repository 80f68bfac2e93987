// Mean and sum of squared deviations (M2) of each channel over one chunk of rows, with x as [GROUPS, ROWS, CHANNELS].
// The chunk's first value is subtracted from x first, so that a large mean costs no digits:
//   mean = x0 + s1 / n,  M2 = s2 - s1^2 / n,  s1 = sum of (x - x0), s2 = sum of (x - x0)^2.
// For the same reason the mean is written relative to the group's first value, which batchNorm.statistics adds.
// One thread per channel and chunk; adjacent threads take adjacent channels.
override CHANNELS: u32;
override ROWS: u32; // rows of one group
override CHUNK: u32; // rows per thread
override CHUNKS: u32; // chunks of one group
override GROUPS: u32;
override ROW: u32; // threads in one row of the grid

@group(0) @binding(0) var<storage, read> x: array<f32>;
// partial: [GROUPS, CHUNKS, CHANNELS] of (mean - first value, M2)
@group(0) @binding(1) var<storage, read_write> partial: array<vec2f>;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u) {
  let i = id.y * ROW + id.x;
  if (i >= CHANNELS * CHUNKS * GROUPS) {
    return;
  }
  let c = i % CHANNELS;
  let chunk = (i / CHANNELS) % CHUNKS;
  let group = i / (CHANNELS * CHUNKS);
  let first = chunk * CHUNK;
  let last = min(first + CHUNK, ROWS);
  let origin = group * ROWS * CHANNELS + c;
  let shift = x[origin + first * CHANNELS];
  var s1 = 0.0;
  var s2 = 0.0;
  for (var row = first; row < last; row++) {
    let d = x[origin + row * CHANNELS] - shift;
    s1 += d;
    s2 += d * d;
  }
  let n = f32(last - first);
  partial[i] = vec2f(shift - x[origin] + s1 / n, s2 - s1 * s1 / n);
}
