// The same as conv2d.pool.inputGradient through workgroup memory, for GPUs:
//   input_gradient[b, i, j, c] = sum over u, v, o of y[b, i + u - 1, j + v - 1, o] flipped[u, v, o, c]
// with the filter flipped by conv2d.flipFilter. A workgroup is LANES threads over vec4s of channels c for each of
// PLACES tiles of 2 x 4 pixels: for each o a thread reads 6 vec4s of y from workgroup memory and 9 of the filter for 72
// multiply-adds of vec4s. Copying y applies batch-norm, ReLU and max-pool once for all channels c.
override HEIGHT: u32;
override WIDTH: u32;
override CHANNELS: u32; // vec4s
override FILTERS: u32; // a multiple of 4
override POOLED_Y: u32;
override POOLED_X: u32;
override CELLS_Y: u32; // cells in one image
override CELLS_X: u32;
override GROUP: u32; // images that share statistics
override RELU: u32; // after the convolution
override HALF: u32 = 0u; // 1: pooled is packed float16
override HALF_GRADIENT: u32 = 0u; // 1: gradient is packed float16, to be divided by UNSCALE
override UNSCALE: f32 = 1.0;
override HALF_OUTPUT: u32 = 0u; // 1: input_gradient is packed float16, multiplied by SCALE
override SCALE: f32 = 1.0;

// The position of the slice in the batch is in a uniform, so that all slices share one pipeline.
struct Shape {
  FIRST_OUT: u32, // the first image of this launch among those of input_gradient that are bound
  FIRST_POOLED: u32, // among those of pooled and argmax
  FIRST_GRADIENT: u32, // among those of gradient
  FIRST: u32, // and in the whole batch
}

const LANES: u32 = 16; // threads over vec4s of channels c
const CHUNK: u32 = 8; // channels o copied at a time
const PLACES: u32 = 64u / LANES;
const PIXELS: u32 = 24; // of a tile's patch: 4 x 6
const COPIES: u32 = (PLACES * PIXELS + 63u) / 64u; // pixels per thread

@group(0) @binding(0) var<storage, read> flipped: array<vec4f>; // [3, 3, FILTERS, CHANNELS]
@group(0) @binding(1) var<storage, read> pooled: array<u32>;
@group(0) @binding(2) var<storage, read> argmax: array<u32>; // [cells, FILTERS / 4]: see winograd.pool
@group(0) @binding(3) var<storage, read> gradient: array<u32>;
@group(0) @binding(4) var<storage, read> affine: array<f32>; // [groups, 4, FILTERS]: mean, scale, beta, 1 / deviation
@group(0) @binding(5) var<storage, read> coefficients: array<f32>; // [groups, 2, FILTERS]: c1, c2
@group(0) @binding(6) var<storage, read_write> input_gradient: array<vec2u>;
@group(0) @binding(7) var<uniform> shape: Shape;

var<workgroup> copied: array<vec4f, PLACES * CHUNK * PIXELS / 4u>; // [PLACES, CHUNK, PIXELS]

// An element of y: the index of its window among its image's pooled values, that of its cell, and the mask of its
// window's two bits in the cell's words, with their value if the maximum is here. `inside` is 0 if y is 0 anyway.
struct Element { window: u32, cell: u32, shift: u32, place: u32, inside: bool }

fn find(tile: u32, q: u32) -> Element {
  let tiles_x = WIDTH / 4u + u32(WIDTH % 4u > 0u);
  let row = i32(2u * (tile / tiles_x) + q / 6u) - 1;
  let column = i32(4u * (tile % tiles_x) + q % 6u) - 1;
  let inside = (row >= 0) & (row < 2 * i32(POOLED_Y)) & (column >= 0) & (column < 2 * i32(POOLED_X));
  let i = u32(clamp(row, 0, 2 * i32(POOLED_Y) - 1));
  let j = u32(clamp(column, 0, 2 * i32(POOLED_X) - 1));
  return Element(
    i / 2u * POOLED_X + j / 2u,
    i / 4u * CELLS_X + j / 4u,
    8u * (i / 2u % 2u * 2u + j / 2u % 2u),
    i % 2u * 2u + j % 2u,
    inside,
  );
}

fn half(word: u32, at: u32) -> f32 {
  return unpack2x16float(word >> (16u * (at % 2u))).x;
}

fn load(e: Element, image: u32, o: u32, group: u32) -> f32 {
  let norm = group * 4u * FILTERS + o;
  let sums = group * 2u * FILTERS + o;
  let scale = affine[norm + FILTERS];
  let size = POOLED_Y * POOLED_X;
  let at = ((shape.FIRST_POOLED + image) * size + e.window) * FILTERS + o;
  var d: f32;
  if (HALF == 1u) {
    d = half(pooled[at / 2u], at) - affine[norm];
  } else {
    d = bitcast<f32>(pooled[at]) - affine[norm];
  }
  let from_ = ((shape.FIRST_GRADIENT + image) * size + e.window) * FILTERS + o;
  var g: f32;
  if (HALF_GRADIENT == 1u) {
    g = half(gradient[from_ / 2u], from_) * UNSCALE;
  } else {
    g = bitcast<f32>(gradient[from_]);
  }
  if (RELU == 1u) {
    g = select(g, 0.0, fma(d, scale, affine[norm + 2u * FILTERS]) <= 0.0);
  }
  let word = argmax[((shape.FIRST_POOLED + image) * CELLS_Y * CELLS_X + e.cell) * (FILTERS / 4u) + o / 4u];
  let here = e.inside & (((word >> (e.shift + 2u * (o % 4u))) & 3u) == e.place);
  return select(0.0, scale * (g - coefficients[sums] - d * coefficients[sums + FILTERS]), here);
}

// Four pixels of one row, four channels each.
struct Four { a: vec4f, b: vec4f, c: vec4f, d: vec4f }

fn multiply(sum: Four, a: f32, b: f32, c: f32, d: f32, e: f32, f: f32, f0: vec4f, f1: vec4f, f2: vec4f) -> Four {
  return Four(
    fma(vec4f(c), f2, fma(vec4f(b), f1, fma(vec4f(a), f0, sum.a))),
    fma(vec4f(d), f2, fma(vec4f(c), f1, fma(vec4f(b), f0, sum.b))),
    fma(vec4f(e), f2, fma(vec4f(d), f1, fma(vec4f(c), f0, sum.c))),
    fma(vec4f(f), f2, fma(vec4f(e), f1, fma(vec4f(d), f0, sum.d))),
  );
}

// Clamps to the largest float16; keeps NaN, which clamp() may drop.
fn within_f16(x: vec4f) -> vec4f {
  return select(select(x, vec4f(-65504.0), x < vec4f(-65504.0)), vec4f(65504.0), x > vec4f(65504.0));
}

fn keep(image: u32, y: u32, x: u32, c: u32, value: vec4f) {
  if ((y < HEIGHT) & (x < WIDTH)) {
    let at = ((shape.FIRST_OUT + image) * HEIGHT * WIDTH + y * WIDTH + x) * CHANNELS + c;
    if (HALF_OUTPUT == 1u) {
      let scaled = within_f16(value * SCALE);
      input_gradient[at] = vec2u(pack2x16float(scaled.xy), pack2x16float(scaled.zw));
    } else {
      let bits = bitcast<vec4u>(value);
      input_gradient[2u * at] = bits.xy;
      input_gradient[2u * at + 1u] = bits.zw;
    }
  }
}

fn keep_row(image: u32, y: u32, left: u32, c: u32, r: Four) {
  keep(image, y, left, c, r.a);
  keep(image, y, left + 1u, c, r.b);
  keep(image, y, left + 2u, c, r.c);
  keep(image, y, left + 3u, c, r.d);
}

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) t: u32) {
  let lane = group.x * LANES + t % LANES;
  let column = min(lane, CHANNELS - 1u);
  let image = group.z;
  let place = t / LANES;
  let tile = group.y * PLACES + place;
  let tiles_x = WIDTH / 4u + u32(WIDTH % 4u > 0u);
  let tiles = (HEIGHT / 2u + HEIGHT % 2u) * tiles_x;
  let statistics = (shape.FIRST + image) / GROUP;
  let step = FILTERS * CHANNELS;
  var elements: array<Element, COPIES>;
  for (var i = 0u; i < COPIES; i++) {
    let p = i * 64u + t;
    elements[i] = find(group.y * PLACES + p / PIXELS, p % PIXELS);
  }
  var upper = Four();
  var lower = Four();
  for (var first = 0u; first < FILTERS; first += CHUNK) {
    workgroupBarrier();
    for (var i = 0u; i < COPIES; i++) {
      let p = i * 64u + t;
      if (p < PLACES * PIXELS) {
        for (var k = 0u; k < CHUNK; k++) {
          let to = (p / PIXELS * CHUNK + k) * PIXELS + p % PIXELS;
          copied[to / 4u][to % 4u] = load(elements[i], image, min(first + k, FILTERS - 1u), statistics);
        }
      }
    }
    workgroupBarrier();
    let end = min(CHUNK, FILTERS - first);
    var at = first * CHANNELS + column;
    for (var k = 0u; k < end; k++) {
      let from_ = (place * CHUNK + k) * (PIXELS / 4u);
      let p0 = copied[from_];
      let p1 = copied[from_ + 1u];
      let p2 = copied[from_ + 2u];
      var f0 = flipped[at];
      var f1 = flipped[at + step];
      var f2 = flipped[at + 2u * step];
      upper = multiply(upper, p0.x, p0.y, p0.z, p0.w, p1.x, p1.y, f0, f1, f2);
      lower = multiply(lower, p1.z, p1.w, p2.x, p2.y, p2.z, p2.w, f0, f1, f2);
      let p3 = copied[from_ + 3u];
      let p4 = copied[from_ + 4u];
      f0 = flipped[at + 3u * step];
      f1 = flipped[at + 4u * step];
      f2 = flipped[at + 5u * step];
      upper = multiply(upper, p1.z, p1.w, p2.x, p2.y, p2.z, p2.w, f0, f1, f2);
      lower = multiply(lower, p3.x, p3.y, p3.z, p3.w, p4.x, p4.y, f0, f1, f2);
      let p5 = copied[from_ + 5u];
      f0 = flipped[at + 6u * step];
      f1 = flipped[at + 7u * step];
      f2 = flipped[at + 8u * step];
      upper = multiply(upper, p3.x, p3.y, p3.z, p3.w, p4.x, p4.y, f0, f1, f2);
      lower = multiply(lower, p4.z, p4.w, p5.x, p5.y, p5.z, p5.w, f0, f1, f2);
      at += CHANNELS;
    }
  }
  if ((lane < CHANNELS) & (tile < tiles)) {
    let top = 2u * (tile / tiles_x);
    let left = 4u * (tile % tiles_x);
    keep_row(image, top, left, lane, upper);
    keep_row(image, top + 1u, left, lane, lower);
  }
}
