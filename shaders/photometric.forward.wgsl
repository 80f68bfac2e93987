// output = clamp(gain blur(x) + offset + deviation noise, 0, 1), with each picture's own numbers; within a rectangle
// the output is uniform noise instead.
// blur(x)[p] = sum_d g(d) x[p + d] / sum_d g(d), g(d) = exp(-falloff |d|^2), |d.y| and |d.x| <= radius; pixels from
// beyond the border repeat it.
// noise: the sum of a random word's four bytes, brought to mean 0 and variance 1 (Irwin and Hall): integers until the
// last step, so that every adapter draws the same. Random words: Philox4x32-10 (Salmon et al., "Parallel random numbers:
// as easy as 1, 2, 3", SC 2011), the picture's seed and the pixel as counter.
override COUNT: u32; // pixels, times GROUPS
override ROW: u32; // threads in one row of the grid
override HEIGHT: u32;
override WIDTH: u32;
override CHANNELS: u32;
override GROUPS: u32; // of up to four channels, one to a thread
override KEY_LOW: u32;
override KEY_HIGH: u32;
override NOISE: u32; // streams of random numbers
override FILL: u32;

struct Change {
  gain: f32,
  offset: f32,
  deviation: f32,
  falloff: f32,
  radius: i32,
  seed: u32,
  // Of the rectangle, in pixels; bottom and right are the first ones outside.
  top: u32,
  left: u32,
  bottom: u32,
  right: u32,
}

@group(0) @binding(0) var<storage, read> x: array<f32>;
@group(0) @binding(1) var<storage, read> changes: array<Change>;
@group(0) @binding(2) var<storage, read_write> output: array<f32>;

fn multiply_high(a: u32, b: u32) -> u32 {
  let middle = (a >> 16u) * (b & 0xffffu) + (((a & 0xffffu) * (b & 0xffffu)) >> 16u);
  let low = (a & 0xffffu) * (b >> 16u) + (middle & 0xffffu);
  return (a >> 16u) * (b >> 16u) + (middle >> 16u) + (low >> 16u);
}

fn random(counter: vec4u) -> vec4u {
  var c = counter;
  var key = vec2u(KEY_LOW, KEY_HIGH);
  for (var round = 0; round < 10; round++) {
    let high = vec2u(multiply_high(0xd2511f53u, c.x), multiply_high(0xcd9e8d57u, c.z));
    c = vec4u(high.y ^ c.y ^ key.x, 0xcd9e8d57u * c.z, high.x ^ c.w ^ key.y, 0xd2511f53u * c.x);
    key += vec2u(0x9e3779b9u, 0xbb67ae85u);
  }
  return c;
}

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u) {
  let i = id.y * ROW + id.x;
  if (i >= COUNT) {
    return;
  }
  let group = i % GROUPS;
  let pixel = i / GROUPS;
  let picture = pixel / (WIDTH * HEIGHT);
  let py = pixel / WIDTH % HEIGHT;
  let px = pixel % WIDTH;
  let within = i - picture * (WIDTH * HEIGHT * GROUPS);
  let change = changes[picture];
  let channels = min(4u, CHANNELS - 4u * group);

  var value = vec4f(0.0);
  if (py >= change.top && py < change.bottom && px >= change.left && px < change.right) {
    value = vec4f(random(vec4u(within, change.seed, 0u, FILL)) >> vec4u(24u)) / 255.0;
  } else {
    let radius = change.radius;
    let border = vec2i(i32(HEIGHT), i32(WIDTH)) - 1;
    var total = 0.0;
    for (var dy = -radius; dy <= radius; dy++) {
      let row = (picture * HEIGHT + u32(clamp(i32(py) + dy, 0, border.x))) * WIDTH;
      for (var dx = -radius; dx <= radius; dx++) {
        let weight = exp(-change.falloff * f32(dy * dy + dx * dx));
        let at = (row + u32(clamp(i32(px) + dx, 0, border.y))) * CHANNELS + 4u * group;
        for (var c = 0u; c < channels; c++) {
          value[c] += weight * x[at + c];
        }
        total += weight;
      }
    }
    value = value / total * change.gain + change.offset;
    if (change.deviation > 0.0) {
      let words = random(vec4u(within, change.seed, 0u, NOISE));
      let even = (words & vec4u(0xff00ffu)) + ((words >> vec4u(8u)) & vec4u(0xff00ffu)); // two sums of two bytes
      let bytes = (even & vec4u(0xffffu)) + (even >> vec4u(16u));
      // Four bytes: mean 510, variance 4 (256^2 - 1) / 12 = 21845.
      value += change.deviation * (vec4f(bytes) - 510.0) / sqrt(21845.0);
    }
    value = clamp(value, vec4f(0.0), vec4f(1.0));
  }
  for (var c = 0u; c < channels; c++) {
    output[pixel * CHANNELS + 4u * group + c] = value[c];
  }
}
