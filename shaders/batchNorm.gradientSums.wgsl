// The two sums of batch-norm's backward pass over some pixels of one image: g and g xhat, xhat = (x - mean) /
// deviation. With RELU 1, g is the gradient where scale (x - mean) + beta > 0, else 0. A thread computes RUN pixels of
// four channels.
override CHANNELS: u32; // vec4s
override PIXELS: u32; // in one image
override RUN: u32; // pixels per thread
override RUNS: u32; // threads per image (and vec4 of channels)
override GROUP: u32; // images that share statistics
override RELU: u32;
override HALF: u32 = 0u; // 1: x is packed float16
override HALF_GRADIENT: u32 = 0u; // 1: gradient is packed float16, to be divided by UNSCALE
override UNSCALE: f32 = 1.0;
override COUNT: u32; // threads: images * RUNS * CHANNELS
override ROW: u32; // threads in one row of the grid

// The position of the slice in the batch is in a uniform, so that all slices share one pipeline.
struct Shape {
  FIRST_IN: u32, // the first image of this launch among those of x that are bound
  FIRST_GRADIENT: u32, // among those of gradient
  FIRST: u32, // and in the whole batch
}

@group(0) @binding(0) var<storage, read> x: array<vec2u>;
// affine: [groups, 4, CHANNELS]: mean, scale, beta, 1 / deviation
@group(0) @binding(1) var<storage, read> affine: array<vec4f>;
@group(0) @binding(2) var<storage, read> gradient: array<vec2u>;
@group(0) @binding(3) var<storage, read_write> partial: array<vec4f>; // [images * RUNS, 2, CHANNELS]
@group(0) @binding(4) var<uniform> shape: Shape;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u) {
  let i = id.y * ROW + id.x;
  if (i >= COUNT) {
    return;
  }
  let c = i % CHANNELS;
  let image = i / CHANNELS / RUNS;
  let run = i / CHANNELS % RUNS;
  let statistics = (shape.FIRST + image) / GROUP * 4u * CHANNELS + c;
  let mean = affine[statistics];
  let scale = affine[statistics + CHANNELS];
  let beta = affine[statistics + 2u * CHANNELS];
  let inverse = affine[statistics + 3u * CHANNELS];
  var s1 = vec4f();
  var s2 = vec4f();
  let last = min((run + 1u) * RUN, PIXELS);
  for (var pixel = run * RUN; pixel < last; pixel++) {
    let at = ((shape.FIRST_IN + image) * PIXELS + pixel) * CHANNELS + c;
    var d: vec4f;
    if (HALF == 1u) {
      d = vec4f(unpack2x16float(x[at].x), unpack2x16float(x[at].y)) - mean;
    } else {
      d = bitcast<vec4f>(vec4u(x[2u * at], x[2u * at + 1u])) - mean;
    }
    let from_ = ((shape.FIRST_GRADIENT + image) * PIXELS + pixel) * CHANNELS + c;
    var g: vec4f;
    if (HALF_GRADIENT == 1u) {
      g = vec4f(unpack2x16float(gradient[from_].x), unpack2x16float(gradient[from_].y)) * UNSCALE;
    } else {
      g = bitcast<vec4f>(vec4u(gradient[2u * from_], gradient[2u * from_ + 1u]));
    }
    if (RELU == 1u) {
      g = select(g, vec4f(), fma(d, scale, beta) <= vec4f());
    }
    s1 += g;
    s2 += g * d * inverse;
  }
  let at = ((shape.FIRST + image) * RUNS + run) * 2u * CHANNELS + c;
  partial[at] = s1;
  partial[at + CHANNELS] = s2;
}
