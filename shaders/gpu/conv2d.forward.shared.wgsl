// The same as conv2d.forward through workgroup memory, CHANNELS and FILTERS multiples of 4: output[b, i, j, o] = bias[o] +
// sum over u, v, c of x[b, i s + u - pad, j s + v - pad, c] filter[u, v, c, o]. A workgroup of 64 threads computes 64 pixels x
// 64 channels, 8 x 8 a thread. For each tap and four channels c it copies what it needs of x and of the filter, 1 KiB each,
// so that each value is loaded once for the whole workgroup: 4 vec4s from workgroup memory serve 64 multiply-adds.
override HEIGHT: i32;
override WIDTH: i32;
override CHANNELS: u32;
override OUTPUT_HEIGHT: u32;
override OUTPUT_WIDTH: u32;
override FILTERS: u32;
override PIXELS: u32; // B * OUTPUT_HEIGHT * OUTPUT_WIDTH
override SIZE_Y: i32;
override SIZE_X: i32;
override STRIDE_Y: i32 = 1;
override STRIDE_X: i32 = 1;
override PAD_Y: i32 = 0;
override PAD_X: i32 = 0;
override BIAS: u32 = 0u; // 1: add it
override ROW: u32; // workgroups in one row (y) of the grid

@group(0) @binding(0) var<storage, read> x: array<vec4f>;
@group(0) @binding(1) var<storage, read> filter_: array<vec4f>;
@group(0) @binding(2) var<storage, read> bias: array<vec4f>;
@group(0) @binding(3) var<storage, read_write> output: array<vec4f>;

var<workgroup> xs: array<vec4f, 64>; // [4 channels c, 64 pixels]
var<workgroup> fs: array<vec4f, 64>; // [4 channels c, 64 channels o]

fn store(pixel: u32, o: u32, a: vec4f, b: vec4f) {
  if (pixel < PIXELS) {
    let at = pixel * (FILTERS / 4u) + o;
    if (o < FILTERS / 4u) {
      output[at] = a + select(vec4f(), bias[o], BIAS == 1u);
    }
    if (o + 8u < FILTERS / 4u) {
      output[at + 8u] = b + select(vec4f(), bias[o + 8u], BIAS == 1u);
    }
  }
}

@compute @workgroup_size(8, 8)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_id) local: vec3u, @builtin(local_invocation_index) t: u32) {
  let first = (group.z * ROW + group.y) * 64u;
  // The pixel that this thread copies x for, and the vec4 of the filter.
  let pixel = min(first + t, PIXELS - 1u);
  let line = pixel / OUTPUT_WIDTH;
  let image = i32(line / OUTPUT_HEIGHT);
  let top = i32(line % OUTPUT_HEIGHT) * STRIDE_Y - PAD_Y;
  let left = i32(pixel - line * OUTPUT_WIDTH) * STRIDE_X - PAD_X;
  let column = min(group.x * 16u + t % 16u, FILTERS / 4u - 1u);
  // Accumulators: a letter for four channels o, a number for a pixel.
  var a0 = vec4f();
  var a1 = vec4f();
  var a2 = vec4f();
  var a3 = vec4f();
  var a4 = vec4f();
  var a5 = vec4f();
  var a6 = vec4f();
  var a7 = vec4f();
  var b0 = vec4f();
  var b1 = vec4f();
  var b2 = vec4f();
  var b3 = vec4f();
  var b4 = vec4f();
  var b5 = vec4f();
  var b6 = vec4f();
  var b7 = vec4f();
  for (var u = 0; u < SIZE_Y; u++) {
    for (var v0 = 0; v0 < SIZE_X; v0++) {
      let inside = (top + u >= 0) & (top + u < HEIGHT) & (left + v0 >= 0) & (left + v0 < WIDTH);
      let at = u32(select(0, (image * HEIGHT + top + u) * WIDTH + left + v0, inside)) * (CHANNELS / 4u);
      let tap = u32(u * SIZE_X + v0) * CHANNELS;
      for (var c = 0u; c < CHANNELS / 4u; c++) {
        let value = select(vec4f(), x[at + c], inside);
        let weights = filter_[(tap + 4u * c + t / 16u) * (FILTERS / 4u) + column];
        workgroupBarrier();
        xs[t / 4u][t % 4u] = value.x;
        xs[16u + t / 4u][t % 4u] = value.y;
        xs[32u + t / 4u][t % 4u] = value.z;
        xs[48u + t / 4u][t % 4u] = value.w;
        fs[t] = weights;
        workgroupBarrier();
        for (var k = 0u; k < 64u; k += 16u) {
          let r = xs[k + local.y];
          let s = xs[k + 8u + local.y];
          let v = fs[k + local.x];
          let w = fs[k + 8u + local.x];
          a0 = fma(v, vec4f(r.x), a0);
          b0 = fma(w, vec4f(r.x), b0);
          a1 = fma(v, vec4f(r.y), a1);
          b1 = fma(w, vec4f(r.y), b1);
          a2 = fma(v, vec4f(r.z), a2);
          b2 = fma(w, vec4f(r.z), b2);
          a3 = fma(v, vec4f(r.w), a3);
          b3 = fma(w, vec4f(r.w), b3);
          a4 = fma(v, vec4f(s.x), a4);
          b4 = fma(w, vec4f(s.x), b4);
          a5 = fma(v, vec4f(s.y), a5);
          b5 = fma(w, vec4f(s.y), b5);
          a6 = fma(v, vec4f(s.z), a6);
          b6 = fma(w, vec4f(s.z), b6);
          a7 = fma(v, vec4f(s.w), a7);
          b7 = fma(w, vec4f(s.w), b7);
        }
      }
    }
  }
  let p = first + local.y * 4u;
  let o = group.x * 16u + local.x;
  store(p, o, a0, b0);
  store(p + 1u, o, a1, b1);
  store(p + 2u, o, a2, b2);
  store(p + 3u, o, a3, b3);
  store(p + 32u, o, a4, b4);
  store(p + 33u, o, a5, b5);
  store(p + 34u, o, a6, b6);
  store(p + 35u, o, a7, b7);
}
