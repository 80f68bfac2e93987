// Combines the chunks' moments in their order (Chan, Golub and LeVeque 1979):
//   d = mean_b - mean;  mean += d n_b / n;  M2 += M2_b + d^2 n_a n_b / n
// with means relative to the first value of the group, and writes mean, population variance, 1 / sqrt(variance +
// EPSILON) and the remainder of the mean's rounding to float32, per group and channel. The remainder is not small
// against x - mean if the mean is large against the deviation.
override CHANNELS: u32;
override ROWS: u32;
override CHUNK: u32;
override CHUNKS: u32;
override GROUPS: u32;
override EPSILON: f32;

@group(0) @binding(0) var<storage, read> x: array<f32>; // [GROUPS, ROWS, CHANNELS]
// partial: [GROUPS, CHUNKS, CHANNELS] of (mean - first value, M2)
@group(0) @binding(1) var<storage, read> partial: array<vec2f>;
@group(0) @binding(2) var<storage, read_write> statistics: array<f32>; // [4, GROUPS, CHANNELS]

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u) {
  let i = id.x;
  if (i >= GROUPS * CHANNELS) {
    return;
  }
  let origin = (i / CHANNELS) * CHUNKS * CHANNELS + i % CHANNELS;
  let first = x[(i / CHANNELS) * ROWS * CHANNELS + i % CHANNELS];
  var mean = 0.0;
  var m2 = 0.0;
  var n = 0.0;
  for (var chunk = 0u; chunk < CHUNKS; chunk++) {
    let part = partial[origin + chunk * CHANNELS];
    let count = f32(min(CHUNK, ROWS - chunk * CHUNK));
    let d = part.x - mean;
    let together = n + count;
    mean += d * count / together;
    m2 += part.y + d * d * n * count / together;
    n = together;
  }
  let variance = select(m2, 0.0, m2 < 0.0) / n;
  let rounded = first + mean;
  let part = rounded - first; // remainder of mean: the next two lines are exact (Knuth's two-sum)
  statistics[3u * GROUPS * CHANNELS + i] = (first - (rounded - part)) + (mean - part);
  statistics[i] = rounded;
  statistics[GROUPS * CHANNELS + i] = variance;
  statistics[2u * GROUPS * CHANNELS + i] = 1.0 / sqrt(variance + EPSILON);
}
