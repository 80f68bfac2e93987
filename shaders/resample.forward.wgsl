// output[o] = sum_q w(q - p) x[q] / sum_q w(q - p), p = A o + b: an affine resampling of each picture, bytes to [0, 1].
// w(d) = t_y(e_y . d) t_x(e_x . d), t(s) = clamp((R + 1) / 2 - |s|, 0, 1), pixels from beyond the border repeat it.
// AREA: e_y, e_x are the directions of A's columns and R = max(1, their lengths): t is the overlap of a pixel with the
// footprint of the output's pixel, so smaller pictures are area means, and larger ones bilinear. Otherwise e_y, e_x are
// the axes and R = 1: bilinear at the point p, whatever the scale.
override COUNT: u32; // pixels of the output, times GROUPS
override ROW: u32; // threads in one row of the grid
override SOURCE_HEIGHT: u32;
override SOURCE_WIDTH: u32;
override HEIGHT: u32;
override WIDTH: u32;
override CHANNELS: u32;
override GROUPS: u32; // of up to four channels, one to a thread
override BYTES: u32; // 1: x holds bytes, four to a word; 0: float32
override AREA: u32;

@group(0) @binding(0) var<storage, read> x: array<u32>;
@group(0) @binding(1) var<storage, read> transforms: array<vec2f>; // of each picture: A's two columns, b
@group(0) @binding(2) var<storage, read_write> output: array<f32>;

// The values from element `at` on, of which the first CHANNELS count.
fn load(at: u32) -> vec4f {
  let last = arrayLength(&x) - 1u;
  if (BYTES == 1u) {
    let word = at / 4u;
    let shift = at % 4u * 8u;
    let above = x[min(word + 1u, last)] << ((32u - shift) % 32u);
    return unpack4x8unorm((x[word] >> shift) | select(above, 0u, shift == 0u));
  }
  return bitcast<vec4f>(vec4u(x[at], x[min(at + 1u, last)], x[min(at + 2u, last)], x[min(at + 3u, last)]));
}

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u) {
  let i = id.y * ROW + id.x;
  if (i >= COUNT) {
    return;
  }
  let group = i % GROUPS;
  let pixel = i / GROUPS;
  let o = vec2f(f32(pixel / WIDTH % HEIGHT), f32(pixel % WIDTH)); // y, x
  let picture = pixel / (WIDTH * HEIGHT);

  let column_y = transforms[3u * picture];
  let column_x = transforms[3u * picture + 1u];
  let p = column_y * o.x + column_x * o.y + transforms[3u * picture + 2u];
  var e_y = vec2f(1.0, 0.0);
  var e_x = vec2f(0.0, 1.0);
  var reach = vec2f(1.0);
  if (AREA == 1u) {
    let steps = vec2f(length(column_y), length(column_x));
    e_y = column_y / steps.x;
    e_x = column_x / steps.y;
    reach = 0.5 * max(vec2f(1.0), steps) + 0.5;
  }

  // The pixels strictly within the box around the turned footprint.
  let box = abs(e_y) * reach.x + abs(e_x) * reach.y;
  let first = vec2i(floor(p - box)) + 1;
  let last = vec2i(ceil(p + box)) - 1;
  let border = vec2i(i32(SOURCE_HEIGHT), i32(SOURCE_WIDTH)) - 1;
  var sum = vec4f(0.0);
  var total = 0.0;
  for (var qy = first.x; qy <= last.x; qy++) {
    let row = (picture * SOURCE_HEIGHT + u32(clamp(qy, 0, border.x))) * SOURCE_WIDTH;
    for (var qx = first.y; qx <= last.y; qx++) {
      let d = vec2f(f32(qy), f32(qx)) - p;
      let overlap = clamp(reach - abs(vec2f(dot(e_y, d), dot(e_x, d))), vec2f(0.0), vec2f(1.0));
      let weight = overlap.x * overlap.y;
      sum += weight * load((row + u32(clamp(qx, 0, border.y))) * CHANNELS + 4u * group);
      total += weight;
    }
  }
  let value = sum / total;
  for (var c = 0u; c < min(4u, CHANNELS - 4u * group); c++) {
    output[pixel * CHANNELS + 4u * group + c] = value[c];
  }
}
