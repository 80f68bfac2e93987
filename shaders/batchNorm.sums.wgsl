// The two sums of the backward pass over one chunk of rows: g and g * xhat, xhat = (x - mean) / sqrt(variance +
// epsilon). With RELU 1, g is the gradient where gamma xhat + beta > 0, else 0: recomputed, so that the activation need
// not be stored.
override CHANNELS: u32;
override ROWS: u32; // rows of one group
override CHUNK: u32; // rows per thread
override CHUNKS: u32; // chunks of one group
override GROUPS: u32;
override ROW: u32; // threads in one row of the grid
override RELU: u32 = 0u;

@group(0) @binding(0) var<storage, read> x: array<f32>;
@group(0) @binding(1) var<storage, read> statistics: array<f32>; // [4, GROUPS, CHANNELS]: see batchNorm.statistics
@group(0) @binding(2) var<storage, read> gamma: array<f32>;
@group(0) @binding(3) var<storage, read> beta: array<f32>;
@group(0) @binding(4) var<storage, read> gradient: array<f32>;
@group(0) @binding(5) var<storage, read_write> partial: array<vec2f>; // [GROUPS, CHUNKS, CHANNELS]

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
  var sums = vec2f(0.0);
  for (var row = first; row < last; row++) {
    let at = origin + row * CHANNELS;
    let xhat = fma(x[at] - mean, inverse, rest);
    let g = select(gradient[at], 0.0, (RELU == 1u) & (fma(xhat, scale, offset) <= 0.0));
    sums += vec2f(g, g * xhat);
  }
  partial[i] = sums;
}
