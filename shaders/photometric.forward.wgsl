// output = clamp(gain min(exposure blur(x)^gamma, 1) + offset + deviation noise, 0, 1), with separate numbers per
// picture; inside a rectangle the output is uniform noise instead. A thread computes four adjacent pixels of a row in
// one channel, and loads each pixel that the blur needs once. blur(x)[p] = sum_d g(d) x[p + d] / sum_d g(d), g(d) =
// exp(-falloff |d|^2), |d.y| and |d.x| <= radius; outside of the picture its border repeats. noise: the sum of a random
// word's four bytes, standardized to mean 0 and variance 1 (Irwin and Hall): integers until the last step, so that
// every adapter draws the same. Random words: Philox4x32-10 (Salmon et al., "Parallel random numbers: as easy as 1, 2,
// 3", SC 2011); the counter is the picture's seed and the index of the four pixels.
override HEIGHT: u32;
override WIDTH: u32;
override CHANNELS: u32;
override FOURS: u32; // groups of four pixels in a row: WIDTH / 4, rounded up
override KEY_LOW: u32;
override KEY_HIGH: u32;
override NOISE: u32; // streams of random numbers
override FILL: u32;

struct Change {
  gamma: f32,
  // Of three channels each its own; of any other number green's.
  red: f32,
  green: f32,
  blue: f32,
  gain: f32,
  offset: f32,
  deviation: f32,
  falloff: f32,
  radius: i32,
  seed: u32,
  // The rectangle in pixels; bottom and right are exclusive.
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
  if (id.x >= CHANNELS * HEIGHT * FOURS) {
    return;
  }
  let line = id.x / FOURS; // rows of the first channel, then of the next
  let px = 4u * (id.x - line * FOURS);
  let channel = line / HEIGHT;
  let py = line - channel * HEIGHT;
  let picture = id.y;
  let seed = changes[picture].seed;

  let radius = changes[picture].radius;
  let border = vec2i(i32(HEIGHT), i32(WIDTH)) - 1;
  var value = vec4f(0.0);
  if (radius == 0) {
    let row = (picture * HEIGHT + py) * WIDTH;
    let at = (vec4u(row) + min(vec4u(px) + vec4u(0u, 1u, 2u, 3u), vec4u(WIDTH - 1u))) * CHANNELS + channel;
    value = vec4f(x[at.x], x[at.y], x[at.z], x[at.w]);
  } else {
    let falloff = changes[picture].falloff;
    var total = vec4f(0.0);
    for (var dx = -radius; dx <= radius + 3; dx++) {
      let column = u32(clamp(i32(px) + dx, 0, border.y)) * CHANNELS + channel;
      var sum = 0.0; // down the column: g(d) = g(d.y) g(d.x)
      var column_total = 0.0;
      for (var dy = -radius; dy <= radius; dy++) {
        let weight = exp(-falloff * f32(dy * dy));
        let row = picture * HEIGHT + u32(clamp(i32(py) + dy, 0, border.x));
        sum += weight * x[row * (WIDTH * CHANNELS) + column];
        column_total += weight;
      }
      let d = vec4i(dx) - vec4i(0, 1, 2, 3);
      let weights = select(vec4f(0.0), exp(-falloff * vec4f(d * d)), abs(d) <= vec4i(radius));
      value += weights * (sum / column_total);
      total += weights;
    }
    value /= total;
  }

  if (changes[picture].gamma != 1.0) {
    let positive = select(value, vec4f(1e-6), value < vec4f(1e-6)); // pow() of 0 is undefined; max() may drop NaN
    value = pow(positive, vec4f(changes[picture].gamma));
  }
  var exposure = changes[picture].green;
  if (CHANNELS == 3u && channel != 1u) {
    exposure = select(changes[picture].blue, changes[picture].red, channel == 0u);
  }
  value *= exposure;
  value = select(value, vec4f(1.0), value > vec4f(1.0)); // full scale
  value = value * changes[picture].gain + changes[picture].offset;
  let deviation = changes[picture].deviation;
  if (deviation > 0.0) {
    let words = random(vec4u(id.x, seed, 0u, NOISE));
    let pairs = (words & vec4u(0xff00ffu)) + ((words >> vec4u(8u)) & vec4u(0xff00ffu)); // two sums of two bytes
    let sums = (pairs & vec4u(0xffffu)) + (pairs >> vec4u(16u));
    // Four bytes: mean 510, variance 4 (256^2 - 1) / 12 = 21845.
    value += deviation * (vec4f(sums) - 510.0) / sqrt(21845.0);
  }
  value = select(value, vec4f(), value < vec4f()); // clamp() may drop NaN
  value = select(value, vec4f(1.0), value > vec4f(1.0));

  let columns = vec4u(px) + vec4u(0u, 1u, 2u, 3u);
  let in_rows = py >= changes[picture].top && py < changes[picture].bottom;
  if (in_rows && px < changes[picture].right && px + 3u >= changes[picture].left) {
    let fill = vec4f(random(vec4u(id.x, seed, 0u, FILL)) >> vec4u(24u)) / 255.0;
    let in_columns = (columns >= vec4u(changes[picture].left)) & (columns < vec4u(changes[picture].right));
    value = select(value, fill, in_columns);
  }

  let at = ((picture * HEIGHT + py) * WIDTH + px) * CHANNELS + channel;
  output[at] = value.x;
  if (columns.y < WIDTH) {
    output[at + CHANNELS] = value.y;
  }
  if (columns.z < WIDTH) {
    output[at + 2u * CHANNELS] = value.z;
  }
  if (columns.w < WIDTH) {
    output[at + 3u * CHANNELS] = value.w;
  }
}
