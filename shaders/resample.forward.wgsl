// output[o] = sum_q w(q - p) x[q] / sum_q w(q - p), p = A o + b: an affine resampling of each picture, bytes to [0, 1].
// w(d) = t_y(e_y . d) t_x(e_x . d), t(s) = clamp((R + 1) / 2 - |s|, 0, 1); outside of the picture its border repeats.
// AREA: e_y, e_x are the directions of A's columns and R = max(1, their lengths): t is the overlap of a source pixel
// with the footprint of the output pixel, so smaller outputs are area means, and larger ones bilinear. Otherwise e_y,
// e_x are the axes and R = 1: bilinear at the point p, at any scale.
override SOURCE_HEIGHT: u32;
override SOURCE_WIDTH: u32;
override HEIGHT: u32;
override WIDTH: u32;
override CHANNELS: u32;
override GROUPS: u32; // of up to four channels, one per thread
override BYTES: u32; // 1: x holds bytes, four to a word; 0: float32
override AREA: u32;

@group(0) @binding(0) var<storage, read> x: array<u32>;
@group(0) @binding(1) var<storage, read> transforms: array<vec2f>; // of each picture: A's two columns, b
@group(0) @binding(2) var<storage, read_write> output: array<f32>;

// The values from element `at` on; those of the group's channels count. A load beyond the buffer's end returns some
// other element, which is never stored.
fn load(at: u32) -> vec4f {
  if (BYTES == 0u) {
    return bitcast<vec4f>(vec4u(x[at], x[at + 1u], x[at + 2u], x[at + 3u]));
  }
  let word = at / 4u;
  let shift = at % 4u * 8u;
  var bytes = x[word] >> shift;
  if (CHANNELS > 1u) {
    bytes |= select(x[word + 1u] << ((32u - shift) % 32u), 0u, shift == 0u);
  }
  return unpack4x8unorm(bytes);
}

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u) {
  if (id.x >= HEIGHT * WIDTH * GROUPS) {
    return;
  }
  let picture = id.y;
  let pixel = id.x / GROUPS;
  let group = id.x - pixel * GROUPS;
  let row = pixel / WIDTH;
  let o = vec2f(f32(row), f32(pixel - row * WIDTH)); // y, x

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

  // The pixels strictly within the bounding box of the rotated footprint.
  let box = abs(e_y) * reach.x + abs(e_x) * reach.y;
  let first = vec2i(floor(p - box)) + 1;
  let last = vec2i(ceil(p + box)) - 1;
  let border = vec2i(i32(SOURCE_HEIGHT), i32(SOURCE_WIDTH)) - 1;
  var sum = vec4f(0.0);
  var total = 0.0;
  for (var qy = first.x; qy <= last.x; qy++) {
    let line = (picture * SOURCE_HEIGHT + u32(clamp(qy, 0, border.x))) * SOURCE_WIDTH;
    for (var qx = first.y; qx <= last.y; qx++) {
      let d = vec2f(f32(qy), f32(qx)) - p;
      let overlap = clamp(reach - abs(vec2f(dot(e_y, d), dot(e_x, d))), vec2f(0.0), vec2f(1.0));
      let weight = overlap.x * overlap.y;
      sum += weight * load((line + u32(clamp(qx, 0, border.y))) * CHANNELS + 4u * group);
      total += weight;
    }
  }
  let value = sum / total;
  let at = (picture * HEIGHT * WIDTH + pixel) * CHANNELS + 4u * group;
  let channels = CHANNELS - 4u * group;
  output[at] = value.x;
  if (channels > 1u) {
    output[at + 1u] = value.y;
  }
  if (channels > 2u) {
    output[at + 2u] = value.z;
  }
  if (channels > 3u) {
    output[at + 3u] = value.w;
  }
}
