// The same as maxPool2d.values, and argmax: 2 ky + kx of the window's first maximum in row-major order, which takes the
// gradient.
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
  let top = max(x0, x1);
  let bottom = max(x2, x3);
  let first = select(vec4u(0u), vec4u(1u), x1 > x0);
  let last = select(vec4u(2u), vec4u(3u), x3 > x2);
  let at = (id.z * OUTPUT_HEIGHT + id.y) * OUTPUT_WIDTH * CHANNELS + id.x;
  output[at] = max(top, bottom);
  argmax[at] = select(first, last, bottom > top);
}
