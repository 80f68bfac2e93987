// The same as conv2d.filterGradient through workgroup memory, CHANNELS and FILTERS multiples of 4: partial[p, (u, v, c), o] =
// sum over the p-th part of the output lines (b, i), and over j, of x[b, i s + u - pad, j s + v - pad, c] g[b, i, j, o].
// A workgroup of 64 threads computes 64 rows (u, v, c) x 64 channels o, 8 x 8 a thread. For each four pixels it copies what it
// needs of x and g, 1 KiB each, so that each value is loaded once for the whole workgroup: 4 vec4s from workgroup memory serve
// 64 multiply-adds.
override HEIGHT: i32;
override WIDTH: i32;
override CHANNELS: u32;
override OUTPUT_HEIGHT: u32;
override OUTPUT_WIDTH: u32;
override FILTERS: u32;
override SIZE_Y: u32;
override SIZE_X: u32;
override STRIDE_Y: i32;
override STRIDE_X: i32;
override PAD_Y: i32;
override PAD_X: i32;
override LINES: u32; // output lines: B * OUTPUT_HEIGHT
override PART: u32; // output lines in one part

@group(0) @binding(0) var<storage, read> x: array<vec4f>;
@group(0) @binding(1) var<storage, read> gradient: array<vec4f>;
@group(0) @binding(2) var<storage, read_write> partial: array<vec4f>;

var<workgroup> xs: array<vec4f, 64>; // [4 pixels, 64 rows]
var<workgroup> gs: array<vec4f, 64>; // [4 pixels, 64 channels o]

fn store(part: u32, row: u32, o: u32, a: vec4f, b: vec4f) {
  let rows = SIZE_Y * SIZE_X * CHANNELS;
  if (row < rows) {
    let at = (part * rows + row) * (FILTERS / 4u) + o;
    if (o < FILTERS / 4u) {
      partial[at] = a;
    }
    if (o + 8u < FILTERS / 4u) {
      partial[at + 8u] = b;
    }
  }
}

@compute @workgroup_size(8, 8)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_id) local: vec3u, @builtin(local_invocation_index) t: u32) {
  // The four rows and the four channels that this thread copies, and which of the pixels.
  let copied = min(group.y * 64u + t % 16u * 4u, SIZE_Y * SIZE_X * CHANNELS - 4u);
  let tap = copied / CHANNELS;
  let c = (copied - tap * CHANNELS) / 4u;
  let u = i32(tap / SIZE_X) - PAD_Y;
  let v0 = i32(tap % SIZE_X) - PAD_X;
  let column = min(group.x * 16u + t % 16u, FILTERS / 4u - 1u);
  let pixel = t / 16u;
  // Accumulators: a letter for four channels o, a number for a row.
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
  let end = min(LINES, (group.z + 1u) * PART);
  for (var line = group.z * PART; line < end; line++) {
    let image = i32(line / OUTPUT_HEIGHT);
    let y = i32(line % OUTPUT_HEIGHT) * STRIDE_Y + u;
    for (var first = 0u; first < OUTPUT_WIDTH; first += 4u) {
      let j = first + pixel;
      let z = i32(j) * STRIDE_X + v0;
      let inside = (j < OUTPUT_WIDTH) & (y >= 0) & (y < HEIGHT) & (z >= 0) & (z < WIDTH);
      let value = select(vec4f(), x[u32(select(0, (image * HEIGHT + y) * WIDTH + z, inside)) * (CHANNELS / 4u) + c], inside);
      let arriving = gradient[(line * OUTPUT_WIDTH + min(j, OUTPUT_WIDTH - 1u)) * (FILTERS / 4u) + column];
      workgroupBarrier();
      xs[t] = value;
      gs[t] = arriving;
      workgroupBarrier();
      for (var k = 0u; k < 64u; k += 16u) {
        let r = xs[k + local.y];
        let s = xs[k + 8u + local.y];
        let v = gs[k + local.x];
        let w = gs[k + 8u + local.x];
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
  let row = group.y * 64u + local.y * 4u;
  let o = group.x * 16u + local.x;
  store(group.z, row, o, a0, b0);
  store(group.z, row + 1u, o, a1, b1);
  store(group.z, row + 2u, o, a2, b2);
  store(group.z, row + 3u, o, a3, b3);
  store(group.z, row + 32u, o, a4, b4);
  store(group.z, row + 33u, o, a5, b5);
  store(group.z, row + 34u, o, a6, b6);
  store(group.z, row + 35u, o, a7, b7);
}
