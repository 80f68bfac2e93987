// flipped[u, v, o, c] = filter[U - 1 - u, V - 1 - v, c, o]: the filter with which a convolution of the output gradient
// gives the input gradient. Small beside the convolution itself, and it lets conv2d.forward serve both ways. Of a matrix
// (TAPS 1) it is the transpose; of a batch of matrices, too, where the order of taps stays. The grid is [c, o, tap], so that
// no thread divides.
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
