// The same as conv2d.filterGradient for GPUs with wide subgroups, CHANNELS a multiple of 16: partial[p, (u, v, c), o] =
// sum over the p-th part of the output rows (b, i), and over j, of x[b, i s + u - pad, j s + v - pad, c] g[b, i, j, o].
// A workgroup is one row of 32 threads over channels o and computes 16 channels c of one tap x 64 channels o, two per
// thread. All its threads read the same x, so compilers can load it once into scalar registers; gradient loads are
// coalesced. The loops' bounds skip pixels whose tap lies in the padding.
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
override LINES: u32; // output rows: B * OUTPUT_HEIGHT
override PART: u32; // output rows in one part

const LANES: u32 = 32; // threads over channels o

@group(0) @binding(0) var<storage, read> x: array<vec4f>;
@group(0) @binding(1) var<storage, read> gradient: array<f32>;
@group(0) @binding(2) var<storage, read_write> partial: array<f32>;

fn store(row: u32, o: u32, part: u32, a: vec4f) {
  if (o < FILTERS) {
    let at = (part * SIZE_Y * SIZE_X * CHANNELS + row) * FILTERS + o;
    partial[at] = a.x;
    partial[at + FILTERS] = a.y;
    partial[at + 2u * FILTERS] = a.z;
    partial[at + 3u * FILTERS] = a.w;
  }
}

@compute @workgroup_size(LANES)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) lane: u32) {
  let o = group.x * LANES * 2u + lane;
  let row = group.y * 16u;
  let tap = row / CHANNELS;
  let c = row % CHANNELS / 4u;
  let u = i32(tap / SIZE_X) - PAD_Y;
  let v = i32(tap % SIZE_X) - PAD_X;
  // Output columns whose tap lies inside: 0 <= j s + v < WIDTH.
  let left = u32(max(0, STRIDE_X - 1 - v) / STRIDE_X);
  let right = min(OUTPUT_WIDTH, u32(max(0, WIDTH - v + STRIDE_X - 1) / STRIDE_X));
  // Accumulators: a letter for four channels c, a number for a channel o.
  var a0 = vec4f();
  var b0 = vec4f();
  var c0 = vec4f();
  var d0 = vec4f();
  var a1 = vec4f();
  var b1 = vec4f();
  var c1 = vec4f();
  var d1 = vec4f();
  let step = u32(STRIDE_X) * CHANNELS / 4u;
  let end = min(LINES, (group.z + 1u) * PART);
  for (var line = group.z * PART; line < end; line++) {
    let image = line / OUTPUT_HEIGHT;
    let y = i32(line - image * OUTPUT_HEIGHT) * STRIDE_Y + u;
    if (y < 0 || y >= HEIGHT) {
      continue;
    }
    var at = u32((i32(image) * HEIGHT + y) * WIDTH + i32(left) * STRIDE_X + v) * (CHANNELS / 4u) + c;
    var g = (line * OUTPUT_WIDTH + left) * FILTERS + o;
    for (var j = left; j < right; j++) {
      let g0 = vec4f(gradient[g]);
      let g1 = vec4f(gradient[g + LANES]);
      let ra = x[at];
      let rb = x[at + 1u];
      let rc = x[at + 2u];
      let rd = x[at + 3u];
      a0 = fma(g0, ra, a0);
      b0 = fma(g0, rb, b0);
      c0 = fma(g0, rc, c0);
      d0 = fma(g0, rd, d0);
      a1 = fma(g1, ra, a1);
      b1 = fma(g1, rb, b1);
      c1 = fma(g1, rc, c1);
      d1 = fma(g1, rd, d1);
      at += step;
      g += FILTERS;
    }
  }
  store(row, o, group.z, a0);
  store(row + 4u, o, group.z, b0);
  store(row + 8u, o, group.z, c0);
  store(row + 12u, o, group.z, d0);
  store(row, o + LANES, group.z, a1);
  store(row + 4u, o + LANES, group.z, b1);
  store(row + 8u, o + LANES, group.z, c1);
  store(row + 12u, o + LANES, group.z, d1);
}
