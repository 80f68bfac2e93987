// The same as maxPool2d.values, with argmax: 2 ky + kx of the window's first maximum in row-major order, which takes
// the gradient.
override HEIGHT: u32;
override WIDTH: u32;
override CHANNELS: u32; // vec4s
override OUTPUT_HEIGHT: u32;
override OUTPUT_WIDTH: u32;
override STRIDE_Y: u32;
override STRIDE_X: u32;

@group(0) @binding(0) var<storage, read> x: array<vec4f>;
@group(0) @binding(1) var<storage, read_write> output: array<vec4f>;
@group(0) @binding(2) var<storage, read_write> argmax: array<vec4u>;

// NaN is the largest, and the last NaN counts, as in PyTorch. The test uses the bits: WGSL lets a compiler assume that
// no float is NaN.
fn exceeds(b: vec4f, a: vec4f) -> vec4<bool> {
  return (b > a) | ((bitcast<vec4i>(b) & vec4i(0x7fffffff)) > vec4i(0x7f800000));
}

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u) {
  if (id.x >= OUTPUT_WIDTH * CHANNELS) {
    return;
  }
  let ox = id.x / CHANNELS;
  let c = id.x - ox * CHANNELS;
  let above = ((id.z * HEIGHT + id.y * STRIDE_Y) * WIDTH + ox * STRIDE_X) * CHANNELS + c;
  let below = above + WIDTH * CHANNELS;
  let x0 = x[above];
  let x1 = x[above + CHANNELS];
  let x2 = x[below];
  let x3 = x[below + CHANNELS];
  let right_above = exceeds(x1, x0);
  let right_below = exceeds(x3, x2);
  let top = select(x0, x1, right_above);
  let bottom = select(x2, x3, right_below);
  let is_below = exceeds(bottom, top);
  let first = select(vec4u(0u), vec4u(1u), right_above);
  let last = select(vec4u(2u), vec4u(3u), right_below);
  let at = (id.z * OUTPUT_HEIGHT + id.y) * OUTPUT_WIDTH * CHANNELS + id.x;
  output[at] = select(top, bottom, is_below);
  argmax[at] = select(first, last, is_below);
}
