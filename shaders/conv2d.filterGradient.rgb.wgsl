// The same as conv2d.filterGradient for pictures of three channels under 3 x 3 SAME filters, stride 1; WIDTH a multiple of 4,
// FILTERS of 8: partial[p, (u, v, c), o] = sum over the p-th part of the lines (b, i), and over j, of
// x[b, i + u - pad, j + v - 1, c] g[b, i, j, o]. A thread computes all 27 rows (u, v, c) x 8 channels o, two vec4s LANES apart, four
// pixels at a time: windows overlap and lines share the gradient, so 15 vec4s of x and 8 of g serve 864 multiply-adds.
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

// Sums of four channels o for the rows (v, c) of one line u of the filter. What no loop indexes the compiler keeps in registers.
alias Sums = array<vec4f, 9>;

// The gradient of four pixels, four channels o of each.
alias Pixels = array<vec4f, 4>;

// Adds one pixel of the gradient times the three pixels of x under the line of the filter.
fn addPixel(sums: ptr<function, Sums>, g: vec4f, left: vec3f, middle: vec3f, right: vec3f) {
  (*sums)[0] = fma(g, vec4f(left.x), (*sums)[0]);
  (*sums)[1] = fma(g, vec4f(left.y), (*sums)[1]);
  (*sums)[2] = fma(g, vec4f(left.z), (*sums)[2]);
  (*sums)[3] = fma(g, vec4f(middle.x), (*sums)[3]);
  (*sums)[4] = fma(g, vec4f(middle.y), (*sums)[4]);
  (*sums)[5] = fma(g, vec4f(middle.z), (*sums)[5]);
  (*sums)[6] = fma(g, vec4f(right.x), (*sums)[6]);
  (*sums)[7] = fma(g, vec4f(right.y), (*sums)[7]);
  (*sums)[8] = fma(g, vec4f(right.z), (*sums)[8]);
}

// Adds the k-th four pixels of a line, `row` of the image being under this line of the filter; one in the padding adds nothing.
fn addLine(a: ptr<function, Sums>, b: ptr<function, Sums>, ga: Pixels, gb: Pixels, image: i32, row: i32, k: i32) {
  let steps = WIDTH / 4;
  let inside = (row >= 0) & (row < HEIGHT);
  let at = ((image * HEIGHT + clamp(row, 0, HEIGHT - 1)) * steps + k) * 3;
  let e0 = select(vec4f(), x[max(at - 1, 0)], inside & (k > 0));
  let e1 = select(vec4f(), x[at], inside);
  let e2 = select(vec4f(), x[at + 1], inside);
  let e3 = select(vec4f(), x[at + 2], inside);
  let e4 = select(vec4f(), x[at + 3], inside & (k + 1 < steps));
  let p0 = e0.yzw;
  let p1 = e1.xyz;
  let p2 = vec3f(e1.w, e2.xy);
  let p3 = vec3f(e2.zw, e3.x);
  let p4 = e3.yzw;
  let p5 = e4.xyz;
  addPixel(a, ga[0], p0, p1, p2);
  addPixel(b, gb[0], p0, p1, p2);
  addPixel(a, ga[1], p1, p2, p3);
  addPixel(b, gb[1], p1, p2, p3);
  addPixel(a, ga[2], p2, p3, p4);
  addPixel(b, gb[2], p2, p3, p4);
  addPixel(a, ga[3], p3, p4, p5);
  addPixel(b, gb[3], p3, p4, p5);
}

// In a loop: written out, stores take a third of the time to compile.
fn store(line: u32, o: u32, a: Sums, b: Sums) {
  for (var row = 0u; row < 9u; row++) {
    let at = (line * 9u + row) * (FILTERS / 4u) + o;
    if (o < FILTERS / 4u) {
      partial[at] = a[row];
    }
    if (o + LANES < FILTERS / 4u) {
      partial[at + LANES] = b[row];
    }
  }
}

@compute @workgroup_size(LANES)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) lane: u32) {
  let o = group.x * LANES * 2u + lane;
  let step = FILTERS / 4u;
  // A letter for four channels o, a number for the line u of the filter.
  var a0 = Sums();
  var a1 = Sums();
  var a2 = Sums();
  var b0 = Sums();
  var b1 = Sums();
  var b2 = Sums();
  let end = min(LINES, (group.y + 1u) * PART);
  for (var line = group.y * PART; line < end; line++) {
    let image = i32(line) / HEIGHT;
    let row = i32(line) - image * HEIGHT - PAD_Y;
    var g = line * u32(WIDTH) * step + o;
    for (var k = 0; k < WIDTH / 4; k++) {
      let ga = Pixels(gradient[g], gradient[g + step], gradient[g + 2u * step], gradient[g + 3u * step]);
      let gb = Pixels(
        gradient[g + LANES], gradient[g + step + LANES], gradient[g + 2u * step + LANES], gradient[g + 3u * step + LANES],
      );
      addLine(&a0, &b0, ga, gb, image, row, k);
      addLine(&a1, &b1, ga, gb, image, row + 1, k);
      addLine(&a2, &b2, ga, gb, image, row + 2, k);
      g += FILTERS;
    }
  }
  store(group.y * 3u, o, a0, b0);
  store(group.y * 3u + 1u, o, a1, b1);
  store(group.y * 3u + 2u, o, a2, b2);
}
