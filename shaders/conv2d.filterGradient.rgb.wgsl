// The same as conv2d.filterGradient for pictures of three channels under 3 x 3 SAME filters, stride 1; WIDTH a multiple of 4,
// FILTERS of 16: partial[p, (u, v, c), o] = sum over the p-th part of the lines (b, i), and over j, of
// x[b, i + u - pad, j + v - 1, c] g[b, i, j, o]. A thread computes the nine rows (v, c) of one u x 16 channels o, four vec4s
// LANES apart, four pixels at a time: their windows overlap, so 5 vec4s of x and 16 of g serve 576 multiply-adds.
override HEIGHT: i32;
override WIDTH: i32;
override FILTERS: u32;
override PAD_Y: i32;
override LINES: u32; // B * HEIGHT
override PART: u32; // lines in one part

const LANES: u32 = 8; // threads over channels o
const X_LENGTH: u32 = 1; // vec4s
const GRADIENT_LENGTH: u32 = 1; // vec4s

@group(0) @binding(0) var<storage, read> x: array<vec4f, X_LENGTH>;
@group(0) @binding(1) var<storage, read> gradient: array<vec4f, GRADIENT_LENGTH>;
@group(0) @binding(2) var<storage, read_write> partial: array<vec4f>;

fn store(row: u32, o: u32, a: vec4f, b: vec4f, c: vec4f, d: vec4f) {
  let at = row * (FILTERS / 4u) + o;
  if (o < FILTERS / 4u) {
    partial[at] = a;
  }
  if (o + LANES < FILTERS / 4u) {
    partial[at + LANES] = b;
  }
  if (o + 2u * LANES < FILTERS / 4u) {
    partial[at + 2u * LANES] = c;
  }
  if (o + 3u * LANES < FILTERS / 4u) {
    partial[at + 3u * LANES] = d;
  }
}

@compute @workgroup_size(LANES)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) lane: u32) {
  let o = group.x * LANES * 4u + lane;
  let u = group.y;
  let step = FILTERS / 4u;
  let steps = WIDTH / 4;
  // Accumulators: a letter for four channels o, a number for a row (v, c).
  var a0 = vec4f();
  var a1 = vec4f();
  var a2 = vec4f();
  var a3 = vec4f();
  var a4 = vec4f();
  var a5 = vec4f();
  var a6 = vec4f();
  var a7 = vec4f();
  var a8 = vec4f();
  var b0 = vec4f();
  var b1 = vec4f();
  var b2 = vec4f();
  var b3 = vec4f();
  var b4 = vec4f();
  var b5 = vec4f();
  var b6 = vec4f();
  var b7 = vec4f();
  var b8 = vec4f();
  var c0 = vec4f();
  var c1 = vec4f();
  var c2 = vec4f();
  var c3 = vec4f();
  var c4 = vec4f();
  var c5 = vec4f();
  var c6 = vec4f();
  var c7 = vec4f();
  var c8 = vec4f();
  var d0 = vec4f();
  var d1 = vec4f();
  var d2 = vec4f();
  var d3 = vec4f();
  var d4 = vec4f();
  var d5 = vec4f();
  var d6 = vec4f();
  var d7 = vec4f();
  var d8 = vec4f();
  let end = min(LINES, (group.z + 1u) * PART);
  for (var line = group.z * PART; line < end; line++) {
    let image = i32(line) / HEIGHT;
    let row = i32(line) - image * HEIGHT + i32(u) - PAD_Y;
    let inside = (row >= 0) & (row < HEIGHT);
    let first = (image * HEIGHT + row) * steps * 3;
    let stop = select(0, steps, inside); // a line in the padding adds nothing
    var g = line * u32(WIDTH) * step + o;
    for (var k = 0; k < stop; k++) {
      let at = first + 3 * k;
      let e0 = select(vec4f(), x[max(at - 1, 0)], k > 0);
      let e1 = x[at];
      let e2 = x[at + 1];
      let e3 = x[at + 2];
      let e4 = select(vec4f(), x[at + 3], k + 1 < steps);
      let x0 = vec4f(e0.y);
      let x1 = vec4f(e0.z);
      let x2 = vec4f(e0.w);
      let x3 = vec4f(e1.x);
      let x4 = vec4f(e1.y);
      let x5 = vec4f(e1.z);
      let x6 = vec4f(e1.w);
      let x7 = vec4f(e2.x);
      let x8 = vec4f(e2.y);
      let x9 = vec4f(e2.z);
      let x10 = vec4f(e2.w);
      let x11 = vec4f(e3.x);
      let x12 = vec4f(e3.y);
      let x13 = vec4f(e3.z);
      let x14 = vec4f(e3.w);
      let x15 = vec4f(e4.x);
      let x16 = vec4f(e4.y);
      let x17 = vec4f(e4.z);
      let ga0 = gradient[g];
      a0 = fma(ga0, x0, a0);
      a1 = fma(ga0, x1, a1);
      a2 = fma(ga0, x2, a2);
      a3 = fma(ga0, x3, a3);
      a4 = fma(ga0, x4, a4);
      a5 = fma(ga0, x5, a5);
      a6 = fma(ga0, x6, a6);
      a7 = fma(ga0, x7, a7);
      a8 = fma(ga0, x8, a8);
      let gb0 = gradient[g + LANES];
      b0 = fma(gb0, x0, b0);
      b1 = fma(gb0, x1, b1);
      b2 = fma(gb0, x2, b2);
      b3 = fma(gb0, x3, b3);
      b4 = fma(gb0, x4, b4);
      b5 = fma(gb0, x5, b5);
      b6 = fma(gb0, x6, b6);
      b7 = fma(gb0, x7, b7);
      b8 = fma(gb0, x8, b8);
      let gc0 = gradient[g + 2u * LANES];
      c0 = fma(gc0, x0, c0);
      c1 = fma(gc0, x1, c1);
      c2 = fma(gc0, x2, c2);
      c3 = fma(gc0, x3, c3);
      c4 = fma(gc0, x4, c4);
      c5 = fma(gc0, x5, c5);
      c6 = fma(gc0, x6, c6);
      c7 = fma(gc0, x7, c7);
      c8 = fma(gc0, x8, c8);
      let gd0 = gradient[g + 3u * LANES];
      d0 = fma(gd0, x0, d0);
      d1 = fma(gd0, x1, d1);
      d2 = fma(gd0, x2, d2);
      d3 = fma(gd0, x3, d3);
      d4 = fma(gd0, x4, d4);
      d5 = fma(gd0, x5, d5);
      d6 = fma(gd0, x6, d6);
      d7 = fma(gd0, x7, d7);
      d8 = fma(gd0, x8, d8);
      let ga1 = gradient[g + step];
      a0 = fma(ga1, x3, a0);
      a1 = fma(ga1, x4, a1);
      a2 = fma(ga1, x5, a2);
      a3 = fma(ga1, x6, a3);
      a4 = fma(ga1, x7, a4);
      a5 = fma(ga1, x8, a5);
      a6 = fma(ga1, x9, a6);
      a7 = fma(ga1, x10, a7);
      a8 = fma(ga1, x11, a8);
      let gb1 = gradient[g + step + LANES];
      b0 = fma(gb1, x3, b0);
      b1 = fma(gb1, x4, b1);
      b2 = fma(gb1, x5, b2);
      b3 = fma(gb1, x6, b3);
      b4 = fma(gb1, x7, b4);
      b5 = fma(gb1, x8, b5);
      b6 = fma(gb1, x9, b6);
      b7 = fma(gb1, x10, b7);
      b8 = fma(gb1, x11, b8);
      let gc1 = gradient[g + step + 2u * LANES];
      c0 = fma(gc1, x3, c0);
      c1 = fma(gc1, x4, c1);
      c2 = fma(gc1, x5, c2);
      c3 = fma(gc1, x6, c3);
      c4 = fma(gc1, x7, c4);
      c5 = fma(gc1, x8, c5);
      c6 = fma(gc1, x9, c6);
      c7 = fma(gc1, x10, c7);
      c8 = fma(gc1, x11, c8);
      let gd1 = gradient[g + step + 3u * LANES];
      d0 = fma(gd1, x3, d0);
      d1 = fma(gd1, x4, d1);
      d2 = fma(gd1, x5, d2);
      d3 = fma(gd1, x6, d3);
      d4 = fma(gd1, x7, d4);
      d5 = fma(gd1, x8, d5);
      d6 = fma(gd1, x9, d6);
      d7 = fma(gd1, x10, d7);
      d8 = fma(gd1, x11, d8);
      let ga2 = gradient[g + 2u * step];
      a0 = fma(ga2, x6, a0);
      a1 = fma(ga2, x7, a1);
      a2 = fma(ga2, x8, a2);
      a3 = fma(ga2, x9, a3);
      a4 = fma(ga2, x10, a4);
      a5 = fma(ga2, x11, a5);
      a6 = fma(ga2, x12, a6);
      a7 = fma(ga2, x13, a7);
      a8 = fma(ga2, x14, a8);
      let gb2 = gradient[g + 2u * step + LANES];
      b0 = fma(gb2, x6, b0);
      b1 = fma(gb2, x7, b1);
      b2 = fma(gb2, x8, b2);
      b3 = fma(gb2, x9, b3);
      b4 = fma(gb2, x10, b4);
      b5 = fma(gb2, x11, b5);
      b6 = fma(gb2, x12, b6);
      b7 = fma(gb2, x13, b7);
      b8 = fma(gb2, x14, b8);
      let gc2 = gradient[g + 2u * step + 2u * LANES];
      c0 = fma(gc2, x6, c0);
      c1 = fma(gc2, x7, c1);
      c2 = fma(gc2, x8, c2);
      c3 = fma(gc2, x9, c3);
      c4 = fma(gc2, x10, c4);
      c5 = fma(gc2, x11, c5);
      c6 = fma(gc2, x12, c6);
      c7 = fma(gc2, x13, c7);
      c8 = fma(gc2, x14, c8);
      let gd2 = gradient[g + 2u * step + 3u * LANES];
      d0 = fma(gd2, x6, d0);
      d1 = fma(gd2, x7, d1);
      d2 = fma(gd2, x8, d2);
      d3 = fma(gd2, x9, d3);
      d4 = fma(gd2, x10, d4);
      d5 = fma(gd2, x11, d5);
      d6 = fma(gd2, x12, d6);
      d7 = fma(gd2, x13, d7);
      d8 = fma(gd2, x14, d8);
      let ga3 = gradient[g + 3u * step];
      a0 = fma(ga3, x9, a0);
      a1 = fma(ga3, x10, a1);
      a2 = fma(ga3, x11, a2);
      a3 = fma(ga3, x12, a3);
      a4 = fma(ga3, x13, a4);
      a5 = fma(ga3, x14, a5);
      a6 = fma(ga3, x15, a6);
      a7 = fma(ga3, x16, a7);
      a8 = fma(ga3, x17, a8);
      let gb3 = gradient[g + 3u * step + LANES];
      b0 = fma(gb3, x9, b0);
      b1 = fma(gb3, x10, b1);
      b2 = fma(gb3, x11, b2);
      b3 = fma(gb3, x12, b3);
      b4 = fma(gb3, x13, b4);
      b5 = fma(gb3, x14, b5);
      b6 = fma(gb3, x15, b6);
      b7 = fma(gb3, x16, b7);
      b8 = fma(gb3, x17, b8);
      let gc3 = gradient[g + 3u * step + 2u * LANES];
      c0 = fma(gc3, x9, c0);
      c1 = fma(gc3, x10, c1);
      c2 = fma(gc3, x11, c2);
      c3 = fma(gc3, x12, c3);
      c4 = fma(gc3, x13, c4);
      c5 = fma(gc3, x14, c5);
      c6 = fma(gc3, x15, c6);
      c7 = fma(gc3, x16, c7);
      c8 = fma(gc3, x17, c8);
      let gd3 = gradient[g + 3u * step + 3u * LANES];
      d0 = fma(gd3, x9, d0);
      d1 = fma(gd3, x10, d1);
      d2 = fma(gd3, x11, d2);
      d3 = fma(gd3, x12, d3);
      d4 = fma(gd3, x13, d4);
      d5 = fma(gd3, x14, d5);
      d6 = fma(gd3, x15, d6);
      d7 = fma(gd3, x16, d7);
      d8 = fma(gd3, x17, d8);
      g += FILTERS;
    }
  }
  let at = (group.z * 3u + u) * 9u;
  store(at, o, a0, b0, c0, d0);
  store(at + 1u, o, a1, b1, c1, d1);
  store(at + 2u, o, a2, b2, c2, d2);
  store(at + 3u, o, a3, b3, c3, d3);
  store(at + 4u, o, a4, b4, c4, d4);
  store(at + 5u, o, a5, b5, c5, d5);
  store(at + 6u, o, a6, b6, c6, d6);
  store(at + 7u, o, a7, b7, c7, d7);
  store(at + 8u, o, a8, b8, c8, d8);
}
