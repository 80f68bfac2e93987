// The transpose: every weight is in the sum that was subtracted from the center. d loss / d w[p] = gradient[p] - theta
// gradient[center].
override WINDOW: u32; // rows * columns, both odd
override PAIRS: u32; // channels in * channels out
override THETA: f32;

@group(0) @binding(0) var<storage, read> gradient: array<f32>;
@group(0) @binding(1) var<storage, read_write> filter_gradient: array<f32>;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u) {
  if (id.x >= PAIRS) {
    return;
  }
  let center = THETA * gradient[WINDOW / 2u * PAIRS + id.x];
  for (var p = 0u; p < WINDOW; p++) {
    filter_gradient[p * PAIRS + id.x] = gradient[p * PAIRS + id.x] - center;
  }
}
