// flipped[u, v, o, c] = filter[U - 1 - u, V - 1 - v, c, o]: a convolution of the output gradient with this filter is
// the input gradient. It is cheap compared with the convolution, and lets conv2d.forward compute both. For a matrix
// (TAPS 1) it is the transpose; for a batch of matrices too, if the order of taps is kept. The grid is [c, o, tap], so
// that no thread divides.
override TAPS: u32; // U * V
override REVERSED: u32 = 1u; // 0: the order of taps stays
override CHANNELS: u32;
override FILTERS: u32;

@group(0) @binding(0) var<storage, read> filter_: array<f32>;
@group(0) @binding(1) var<storage, read_write> flipped: array<f32>;

@compute @workgroup_size(8, 8)
fn main(@builtin(global_invocation_id) id: vec3u) {
  if (id.x < CHANNELS && id.y < FILTERS) {
    let source = select(id.z, TAPS - 1u - id.z, REVERSED == 1u);
    flipped[(id.z * FILTERS + id.y) * CHANNELS + id.x] = filter_[(source * CHANNELS + id.x) * FILTERS + id.y];
  }
}
