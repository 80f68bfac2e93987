// The central difference filter (Yu et al. 2020, "Searching Central Difference Convolutional Networks for Face
// Anti-Spoofing"): a convolution with it computes sum_p w[p] x[p] - theta x[center] sum_p w[p]. A thread loops over the
// window of one pair of channels.
override WINDOW: u32; // rows * columns, both odd
override PAIRS: u32; // channels in * channels out
override THETA: f32;

@group(0) @binding(0) var<storage, read> filter_: array<f32>;
@group(0) @binding(1) var<storage, read_write> output: array<f32>;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u) {
  if (id.x >= PAIRS) {
    return;
  }
  var total = 0.0;
  for (var p = 0u; p < WINDOW; p++) {
    let value = filter_[p * PAIRS + id.x];
    total += value;
    output[p * PAIRS + id.x] = value;
  }
  output[WINDOW / 2u * PAIRS + id.x] -= THETA * total;
}
