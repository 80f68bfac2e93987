// output = scale (x - mean) + beta, with RELU 1 max(that, 0), for readers that cannot normalize x themselves. x is
// [images, PIXELS, CHANNELS].
override CHANNELS: u32; // vec4s
override PIXELS: u32; // in one image
override GROUP: u32; // images that share statistics
override RELU: u32;
override HALF: u32 = 0u; // 1: x is packed float16
override COUNT: u32; // threads: images * PIXELS * CHANNELS
override ROW: u32; // threads in one row of the grid

// The position of the slice in the batch is in a uniform, so that all slices share one pipeline.
struct Shape {
  FIRST: u32, // index of x's first image in the whole batch
}

@group(0) @binding(0) var<storage, read> x: array<vec2u>;
// affine: [groups, 4, CHANNELS]: mean, scale, beta, 1 / deviation
@group(0) @binding(1) var<storage, read> affine: array<vec4f>;
@group(0) @binding(2) var<storage, read_write> output: array<vec4f>;
@group(0) @binding(3) var<uniform> shape: Shape;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u) {
  let i = id.y * ROW + id.x;
  if (i >= COUNT) {
    return;
  }
  let image = shape.FIRST + i / CHANNELS / PIXELS;
  let at = image / GROUP * 4u * CHANNELS + i % CHANNELS;
  var value: vec4f;
  if (HALF == 1u) {
    value = vec4f(unpack2x16float(x[i].x), unpack2x16float(x[i].y));
  } else {
    value = bitcast<vec4f>(vec4u(x[2u * i], x[2u * i + 1u]));
  }
  value = fma(value - affine[at], affine[at + CHANNELS], affine[at + 2u * CHANNELS]);
  output[shape.FIRST * PIXELS * CHANNELS + i] = select(value, vec4f(), (value < vec4f()) & vec4<bool>(RELU == 1u));
}
