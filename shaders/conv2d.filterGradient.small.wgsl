// The same as conv2d.filterGradient for whole images of at most 3 x 3 pixels under 3 x 3 SAME filters, stride 1, channels and
// filters in fours: partial[p, u, v, c, o] = sum over the images b of the p-th part, and over i and j, of
// x[b, i + u - 1, j + v - 1, c] g[b, i, j, o]. A thread computes all nine (u, v) of 4 channels c x 4 channels o from the 9
// pixels of x and the 9 of g: 18 loads for 784 multiply-adds, since those of the padding are left out.
override HEIGHT: u32; // at most 3
override WIDTH: u32; // at most 3
override CHANNELS: u32; // vec4s
override FILTERS: u32; // vec4s
override IMAGES: u32;
override PART: u32; // images in one part

const LANES: u32 = 8; // threads over channels o
const TILES: u32 = 2; // threads over channels c
const X_LENGTH: u32 = 1; // vec4s
const GRADIENT_LENGTH: u32 = 1; // vec4s

@group(0) @binding(0) var<storage, read> x: array<vec4f, X_LENGTH>;
@group(0) @binding(1) var<storage, read> gradient: array<vec4f, GRADIENT_LENGTH>;
@group(0) @binding(2) var<storage, read_write> partial: array<vec4f>;

// The sums of one (u, v): a field for a channel c, in it four channels o.
struct Four { a: vec4f, b: vec4f, c: vec4f, d: vec4f }

fn add(sum: Four, g: vec4f, x: vec4f) -> Four {
  return Four(
    fma(g, vec4f(x.x), sum.a), fma(g, vec4f(x.y), sum.b), fma(g, vec4f(x.z), sum.c), fma(g, vec4f(x.w), sum.d),
  );
}

fn inside(i: u32, j: u32) -> bool {
  return (i < HEIGHT) & (j < WIDTH);
}

fn pixel(image: u32, i: u32, j: u32) -> u32 {
  return (image * HEIGHT + min(i, HEIGHT - 1u)) * WIDTH + min(j, WIDTH - 1u);
}

fn loadX(image: u32, i: u32, j: u32, c: u32) -> vec4f {
  return select(vec4f(), x[pixel(image, i, j) * CHANNELS + c], inside(i, j));
}

fn loadGradient(image: u32, i: u32, j: u32, o: u32) -> vec4f {
  return select(vec4f(), gradient[pixel(image, i, j) * FILTERS + o], inside(i, j));
}

fn store(row: u32, c: u32, o: u32, sum: Four) {
  let at = (row * CHANNELS + c) * 4u * FILTERS + o;
  partial[at] = sum.a;
  partial[at + FILTERS] = sum.b;
  partial[at + 2u * FILTERS] = sum.c;
  partial[at + 3u * FILTERS] = sum.d;
}

@compute @workgroup_size(LANES, TILES)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_id) local: vec3u) {
  let o = group.x * LANES + local.x;
  let c = group.y * TILES + local.y;
  if (c >= CHANNELS || o >= FILTERS) {
    return;
  }
  // t and two digits: the sums of that (u, v); x, g and two digits: that pixel (i, j).
  var t00 = Four();
  var t01 = Four();
  var t02 = Four();
  var t10 = Four();
  var t11 = Four();
  var t12 = Four();
  var t20 = Four();
  var t21 = Four();
  var t22 = Four();
  let end = min(IMAGES, (group.z + 1u) * PART);
  for (var b = group.z * PART; b < end; b++) {
    let x00 = loadX(b, 0u, 0u, c);
    let x01 = loadX(b, 0u, 1u, c);
    let x02 = loadX(b, 0u, 2u, c);
    let x10 = loadX(b, 1u, 0u, c);
    let x11 = loadX(b, 1u, 1u, c);
    let x12 = loadX(b, 1u, 2u, c);
    let x20 = loadX(b, 2u, 0u, c);
    let x21 = loadX(b, 2u, 1u, c);
    let x22 = loadX(b, 2u, 2u, c);
    let g00 = loadGradient(b, 0u, 0u, o);
    let g01 = loadGradient(b, 0u, 1u, o);
    let g02 = loadGradient(b, 0u, 2u, o);
    let g10 = loadGradient(b, 1u, 0u, o);
    let g11 = loadGradient(b, 1u, 1u, o);
    let g12 = loadGradient(b, 1u, 2u, o);
    let g20 = loadGradient(b, 2u, 0u, o);
    let g21 = loadGradient(b, 2u, 1u, o);
    let g22 = loadGradient(b, 2u, 2u, o);
    t00 = add(t00, g11, x00);
    t00 = add(t00, g12, x01);
    t00 = add(t00, g21, x10);
    t00 = add(t00, g22, x11);
    t01 = add(t01, g10, x00);
    t01 = add(t01, g11, x01);
    t01 = add(t01, g12, x02);
    t01 = add(t01, g20, x10);
    t01 = add(t01, g21, x11);
    t01 = add(t01, g22, x12);
    t02 = add(t02, g10, x01);
    t02 = add(t02, g11, x02);
    t02 = add(t02, g20, x11);
    t02 = add(t02, g21, x12);
    t10 = add(t10, g01, x00);
    t10 = add(t10, g02, x01);
    t10 = add(t10, g11, x10);
    t10 = add(t10, g12, x11);
    t10 = add(t10, g21, x20);
    t10 = add(t10, g22, x21);
    t11 = add(t11, g00, x00);
    t11 = add(t11, g01, x01);
    t11 = add(t11, g02, x02);
    t11 = add(t11, g10, x10);
    t11 = add(t11, g11, x11);
    t11 = add(t11, g12, x12);
    t11 = add(t11, g20, x20);
    t11 = add(t11, g21, x21);
    t11 = add(t11, g22, x22);
    t12 = add(t12, g00, x01);
    t12 = add(t12, g01, x02);
    t12 = add(t12, g10, x11);
    t12 = add(t12, g11, x12);
    t12 = add(t12, g20, x21);
    t12 = add(t12, g21, x22);
    t20 = add(t20, g01, x10);
    t20 = add(t20, g02, x11);
    t20 = add(t20, g11, x20);
    t20 = add(t20, g12, x21);
    t21 = add(t21, g00, x10);
    t21 = add(t21, g01, x11);
    t21 = add(t21, g02, x12);
    t21 = add(t21, g10, x20);
    t21 = add(t21, g11, x21);
    t21 = add(t21, g12, x22);
    t22 = add(t22, g00, x11);
    t22 = add(t22, g01, x12);
    t22 = add(t22, g10, x21);
    t22 = add(t22, g11, x22);
  }
  store(group.z * 9u + 0u, c, o, t00);
  store(group.z * 9u + 1u, c, o, t01);
  store(group.z * 9u + 2u, c, o, t02);
  store(group.z * 9u + 3u, c, o, t10);
  store(group.z * 9u + 4u, c, o, t11);
  store(group.z * 9u + 5u, c, o, t12);
  store(group.z * 9u + 6u, c, o, t20);
  store(group.z * 9u + 7u, c, o, t21);
  store(group.z * 9u + 8u, c, o, t22);
}
