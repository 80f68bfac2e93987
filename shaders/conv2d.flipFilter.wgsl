// flipped[u, v, o, c] = filter[U - 1 - u, V - 1 - v, c, o]: the filter with which a convolution of the output gradient
// gives the input gradient. Small beside the convolution itself, and it lets conv2d.forward serve both ways.
override COUNT: u32; // elements
override ROW: u32; // threads in one row of the grid
override TAPS: u32; // U * V
override CHANNELS: u32;
override FILTERS: u32;

@group(0) @binding(0) var<storage, read> filter_: array<f32>;
@group(0) @binding(1) var<storage, read_write> flipped: array<f32>;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u) {
  let i = id.y * ROW + id.x;
  if (i < COUNT) {
    let c = i % CHANNELS;
    let o = i / CHANNELS % FILTERS;
    let tap = TAPS - 1u - i / (CHANNELS * FILTERS);
    flipped[i] = filter_[(tap * CHANNELS + c) * FILTERS + o];
  }
}
