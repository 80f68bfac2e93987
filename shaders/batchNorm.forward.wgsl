// output = gamma (x - mean) / sqrt(variance + epsilon) + beta per channel (Ioffe and Szegedy 2015), with x as [GROUPS,
// ROWS, CHANNELS] and separate statistics per group; with RELU 1, max(output, 0) in the same pass. One thread per
// channel and chunk of rows, so that the channel's constants are loaded once.
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
@group(0) @binding(4) var<storage, read_write> output: array<f32>;

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
  for (var row = first; row < last; row++) {
    let at = origin + row * CHANNELS;
    let y = fma(fma(x[at] - mean, inverse, rest), scale, offset);
    output[at] = select(y, 0.0, (RELU == 1u) & (y < 0.0));
  }
}
