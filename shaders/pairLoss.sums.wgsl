// The sums over the pairs of pairLoss.forward:
//   kernel_gradient[i] = sum over pairs of d |a[i] - b[i]|,  bias_gradient = sum of d,  output = mean of loss terms,
// and the sums over the rows of the embeddings' gradient: the gradient of a bias that was added to them.
override PAIRS: u32;
override LENGTH: u32;

@group(0) @binding(0) var<storage, read> embeddings: array<f32>; // [2 PAIRS, LENGTH]
@group(0) @binding(1) var<storage, read> terms: array<vec2f>; // [PAIRS] of (loss term, d)
@group(0) @binding(2) var<storage, read> embedding_gradient: array<f32>; // [2 PAIRS, LENGTH]
@group(0) @binding(3) var<storage, read_write> kernel_gradient: array<f32>;
@group(0) @binding(4) var<storage, read_write> bias_gradient: array<f32>;
@group(0) @binding(5) var<storage, read_write> row_sums: array<f32>; // [LENGTH]
@group(0) @binding(6) var<storage, read_write> output: array<f32>;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u) {
  let i = id.x;
  if (i >= LENGTH) {
    return;
  }
  var kernel = 0.0;
  var rows = 0.0;
  var bias = 0.0;
  var loss = 0.0;
  for (var pair = 0u; pair < PAIRS; pair++) {
    let a = pair * LENGTH + i;
    let b = (pair + PAIRS) * LENGTH + i;
    kernel = fma(terms[pair].y, abs(embeddings[a] - embeddings[b]), kernel);
    rows += embedding_gradient[a] + embedding_gradient[b];
    bias += terms[pair].y;
    loss += terms[pair].x;
  }
  kernel_gradient[i] = kernel;
  row_sums[i] = rows;
  if (i == 0u) {
    bias_gradient[0] = bias;
    output[0] = loss / f32(PAIRS);
  }
}
