// output[b, oy, ox, c] = max over the 2 x 2 window of x[b, oy S + ky, ox S + kx, c], every window inside the picture:
// the common case, without argmax. CHANNELS counts vec4s. One thread per four channels of an output; adjacent threads
// take adjacent channels. There are no loops and no branches, since a software adapter merges its lanes at each of
// them. The grid is (columns x channels, rows, batch).
override HEIGHT: u32;
override WIDTH: u32;
override CHANNELS: u32; // vec4s
override OUTPUT_HEIGHT: u32;
override OUTPUT_WIDTH: u32;
override STRIDE_Y: u32;
override STRIDE_X: u32;

@group(0) @binding(0) var<storage, read> x: array<vec4f>;
@group(0) @binding(1) var<storage, read_write> output: array<vec4f>;

// NaN is the largest. The test uses the bits: WGSL lets a compiler assume that no float is NaN.
fn larger(a: vec4f, b: vec4f) -> vec4f {
  return select(a, b, (b > a) | ((bitcast<vec4i>(b) & vec4i(0x7fffffff)) > vec4i(0x7f800000)));
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
  let top = larger(x[above], x[above + CHANNELS]);
  let bottom = larger(x[below], x[below + CHANNELS]);
  output[(id.z * OUTPUT_HEIGHT + id.y) * OUTPUT_WIDTH * CHANNELS + id.x] = larger(top, bottom);
}
