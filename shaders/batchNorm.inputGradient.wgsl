// d loss / d x = gamma / sqrt(variance + epsilon) * (g - (sum of g + xhat * sum of g xhat) / n), n the rows of a group.
// With TRAINING 0 the statistics are constants and the last term vanishes. RELU as in batchNorm.sums.
override CHANNELS: u32;
override ROWS: u32; // rows of one group
override CHUNK: u32; // rows per thread
override CHUNKS: u32; // chunks of one group
override GROUPS: u32;
override ROW: u32; // threads in one row of the grid
override RELU: u32 = 0u;
override TRAINING: u32 = 1u;

@group(0) @binding(0) var<storage, read> x: array<f32>;
@group(0) @binding(1) var<storage, read> statistics: array<f32>; // [4, GROUPS, CHANNELS]: see batchNorm.statistics
@group(0) @binding(2) var<storage, read> gamma: array<f32>;
@group(0) @binding(3) var<storage, read> beta: array<f32>;
@group(0) @binding(4) var<storage, read> gradient: array<f32>;
@group(0) @binding(5) var<storage, read> sums: array<vec2f>; // [GROUPS, CHANNELS]
@group(0) @binding(6) var<storage, read_write> input_gradient: array<f32>;

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
  let mean = statistics[group * CHANNELS + c];
  let inverse = statistics[(2u * GROUPS + group) * CHANNELS + c];
  let rest = -statistics[(3u * GROUPS + group) * CHANNELS + c] * inverse; // remainder of the rounded mean
  let scale = gamma[c];
  let offset = beta[c];
  let share = select(vec2f(0.0), sums[group * CHANNELS + c] / f32(ROWS), TRAINING == 1u);
  for (var row = first; row < last; row++) {
    let at = origin + row * CHANNELS;
    let xhat = fma(x[at] - mean, inverse, rest);
    let g = select(gradient[at], 0.0, (RELU == 1u) & (fma(xhat, scale, offset) <= 0.0));
    input_gradient[at] = scale * inverse * (g - share.x - xhat * share.y);
  }
}
