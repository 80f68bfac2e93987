// The same as dense.kernelGradient, INPUTS and OUTPUTS multiples of 4: partial[p, k, i, o] = sum over the p-th part of the
// rows b of x[k, b, i] g[k, b, o]. For software adapters, where loads cost most: a thread computes 16 rows i x 16 columns o,
// four vec4s LANES apart, two terms b a pass: 8 + 8 loads for 512 multiply-adds, in far more registers than a GPU has.
// What differs from layer to layer is read, so that all of them share one pipeline: it takes long to compile, and sixteen
// loads a pass make little of what array lengths known when compiling would gain.
struct Shape {
  ROWS: u32, // b of one product
  INPUTS: u32, // i
  OUTPUTS: u32, // o
  BATCH: u32, // k
  PART: u32, // rows in one part
  LANES: u32, // threads over columns: 1, 2 or 4
}

@group(0) @binding(0) var<storage, read> x: array<vec4f>;
@group(0) @binding(1) var<storage, read> gradient: array<vec4f>;
@group(0) @binding(2) var<storage, read_write> partial: array<vec4f>;
@group(0) @binding(3) var<uniform> shape: Shape;

@compute @workgroup_size(16)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) local: u32) {
  let inputs = shape.INPUTS / 4u;
  let step = shape.OUTPUTS / 4u;
  let lanes = shape.LANES;
  let o = group.x * lanes * 4u + local % lanes;
  let i = (group.y * (16u / lanes) + local / lanes) * 16u;
  let k = group.z % shape.BATCH;
  let first = group.z / shape.BATCH * shape.PART;
  let end = min(shape.ROWS, first + shape.PART);
  if (i >= shape.INPUTS || o >= step) {
    return;
  }
  // Accumulators: a letter for four columns, a number for a row.
  var a0 = vec4f();
  var a1 = vec4f();
  var a2 = vec4f();
  var a3 = vec4f();
  var a4 = vec4f();
  var a5 = vec4f();
  var a6 = vec4f();
  var a7 = vec4f();
  var a8 = vec4f();
  var a9 = vec4f();
  var a10 = vec4f();
  var a11 = vec4f();
  var a12 = vec4f();
  var a13 = vec4f();
  var a14 = vec4f();
  var a15 = vec4f();
  var b0 = vec4f();
  var b1 = vec4f();
  var b2 = vec4f();
  var b3 = vec4f();
  var b4 = vec4f();
  var b5 = vec4f();
  var b6 = vec4f();
  var b7 = vec4f();
  var b8 = vec4f();
  var b9 = vec4f();
  var b10 = vec4f();
  var b11 = vec4f();
  var b12 = vec4f();
  var b13 = vec4f();
  var b14 = vec4f();
  var b15 = vec4f();
  var c0 = vec4f();
  var c1 = vec4f();
  var c2 = vec4f();
  var c3 = vec4f();
  var c4 = vec4f();
  var c5 = vec4f();
  var c6 = vec4f();
  var c7 = vec4f();
  var c8 = vec4f();
  var c9 = vec4f();
  var c10 = vec4f();
  var c11 = vec4f();
  var c12 = vec4f();
  var c13 = vec4f();
  var c14 = vec4f();
  var c15 = vec4f();
  var d0 = vec4f();
  var d1 = vec4f();
  var d2 = vec4f();
  var d3 = vec4f();
  var d4 = vec4f();
  var d5 = vec4f();
  var d6 = vec4f();
  var d7 = vec4f();
  var d8 = vec4f();
  var d9 = vec4f();
  var d10 = vec4f();
  var d11 = vec4f();
  var d12 = vec4f();
  var d13 = vec4f();
  var d14 = vec4f();
  var d15 = vec4f();
  var at = (k * shape.ROWS + first) * inputs + i / 4u;
  var g = (k * shape.ROWS + first) * step + o;
  for (var b = first; b < end; b += 2u) {
    let x00 = x[at];
    let x01 = x[at + 1u];
    let x02 = x[at + 2u];
    let x03 = x[at + 3u];
    let ga0 = gradient[g];
    a0 = fma(ga0, vec4f(x00.x), a0);
    a1 = fma(ga0, vec4f(x00.y), a1);
    a2 = fma(ga0, vec4f(x00.z), a2);
    a3 = fma(ga0, vec4f(x00.w), a3);
    a4 = fma(ga0, vec4f(x01.x), a4);
    a5 = fma(ga0, vec4f(x01.y), a5);
    a6 = fma(ga0, vec4f(x01.z), a6);
    a7 = fma(ga0, vec4f(x01.w), a7);
    a8 = fma(ga0, vec4f(x02.x), a8);
    a9 = fma(ga0, vec4f(x02.y), a9);
    a10 = fma(ga0, vec4f(x02.z), a10);
    a11 = fma(ga0, vec4f(x02.w), a11);
    a12 = fma(ga0, vec4f(x03.x), a12);
    a13 = fma(ga0, vec4f(x03.y), a13);
    a14 = fma(ga0, vec4f(x03.z), a14);
    a15 = fma(ga0, vec4f(x03.w), a15);
    let gb0 = gradient[g + lanes];
    b0 = fma(gb0, vec4f(x00.x), b0);
    b1 = fma(gb0, vec4f(x00.y), b1);
    b2 = fma(gb0, vec4f(x00.z), b2);
    b3 = fma(gb0, vec4f(x00.w), b3);
    b4 = fma(gb0, vec4f(x01.x), b4);
    b5 = fma(gb0, vec4f(x01.y), b5);
    b6 = fma(gb0, vec4f(x01.z), b6);
    b7 = fma(gb0, vec4f(x01.w), b7);
    b8 = fma(gb0, vec4f(x02.x), b8);
    b9 = fma(gb0, vec4f(x02.y), b9);
    b10 = fma(gb0, vec4f(x02.z), b10);
    b11 = fma(gb0, vec4f(x02.w), b11);
    b12 = fma(gb0, vec4f(x03.x), b12);
    b13 = fma(gb0, vec4f(x03.y), b13);
    b14 = fma(gb0, vec4f(x03.z), b14);
    b15 = fma(gb0, vec4f(x03.w), b15);
    let gc0 = gradient[g + 2u * lanes];
    c0 = fma(gc0, vec4f(x00.x), c0);
    c1 = fma(gc0, vec4f(x00.y), c1);
    c2 = fma(gc0, vec4f(x00.z), c2);
    c3 = fma(gc0, vec4f(x00.w), c3);
    c4 = fma(gc0, vec4f(x01.x), c4);
    c5 = fma(gc0, vec4f(x01.y), c5);
    c6 = fma(gc0, vec4f(x01.z), c6);
    c7 = fma(gc0, vec4f(x01.w), c7);
    c8 = fma(gc0, vec4f(x02.x), c8);
    c9 = fma(gc0, vec4f(x02.y), c9);
    c10 = fma(gc0, vec4f(x02.z), c10);
    c11 = fma(gc0, vec4f(x02.w), c11);
    c12 = fma(gc0, vec4f(x03.x), c12);
    c13 = fma(gc0, vec4f(x03.y), c13);
    c14 = fma(gc0, vec4f(x03.z), c14);
    c15 = fma(gc0, vec4f(x03.w), c15);
    let gd0 = gradient[g + 3u * lanes];
    d0 = fma(gd0, vec4f(x00.x), d0);
    d1 = fma(gd0, vec4f(x00.y), d1);
    d2 = fma(gd0, vec4f(x00.z), d2);
    d3 = fma(gd0, vec4f(x00.w), d3);
    d4 = fma(gd0, vec4f(x01.x), d4);
    d5 = fma(gd0, vec4f(x01.y), d5);
    d6 = fma(gd0, vec4f(x01.z), d6);
    d7 = fma(gd0, vec4f(x01.w), d7);
    d8 = fma(gd0, vec4f(x02.x), d8);
    d9 = fma(gd0, vec4f(x02.y), d9);
    d10 = fma(gd0, vec4f(x02.z), d10);
    d11 = fma(gd0, vec4f(x02.w), d11);
    d12 = fma(gd0, vec4f(x03.x), d12);
    d13 = fma(gd0, vec4f(x03.y), d13);
    d14 = fma(gd0, vec4f(x03.z), d14);
    d15 = fma(gd0, vec4f(x03.w), d15);
    // The second term; where there is none, zeros for its gradient make it nothing, whatever was read of x.
    let both = b + 1u < end;
    let next = at + inputs;
    let x10 = x[next];
    let x11 = x[next + 1u];
    let x12 = x[next + 2u];
    let x13 = x[next + 3u];
    let ga1 = select(vec4f(), gradient[g + step], both);
    a0 = fma(ga1, vec4f(x10.x), a0);
    a1 = fma(ga1, vec4f(x10.y), a1);
    a2 = fma(ga1, vec4f(x10.z), a2);
    a3 = fma(ga1, vec4f(x10.w), a3);
    a4 = fma(ga1, vec4f(x11.x), a4);
    a5 = fma(ga1, vec4f(x11.y), a5);
    a6 = fma(ga1, vec4f(x11.z), a6);
    a7 = fma(ga1, vec4f(x11.w), a7);
    a8 = fma(ga1, vec4f(x12.x), a8);
    a9 = fma(ga1, vec4f(x12.y), a9);
    a10 = fma(ga1, vec4f(x12.z), a10);
    a11 = fma(ga1, vec4f(x12.w), a11);
    a12 = fma(ga1, vec4f(x13.x), a12);
    a13 = fma(ga1, vec4f(x13.y), a13);
    a14 = fma(ga1, vec4f(x13.z), a14);
    a15 = fma(ga1, vec4f(x13.w), a15);
    let gb1 = select(vec4f(), gradient[g + step + lanes], both);
    b0 = fma(gb1, vec4f(x10.x), b0);
    b1 = fma(gb1, vec4f(x10.y), b1);
    b2 = fma(gb1, vec4f(x10.z), b2);
    b3 = fma(gb1, vec4f(x10.w), b3);
    b4 = fma(gb1, vec4f(x11.x), b4);
    b5 = fma(gb1, vec4f(x11.y), b5);
    b6 = fma(gb1, vec4f(x11.z), b6);
    b7 = fma(gb1, vec4f(x11.w), b7);
    b8 = fma(gb1, vec4f(x12.x), b8);
    b9 = fma(gb1, vec4f(x12.y), b9);
    b10 = fma(gb1, vec4f(x12.z), b10);
    b11 = fma(gb1, vec4f(x12.w), b11);
    b12 = fma(gb1, vec4f(x13.x), b12);
    b13 = fma(gb1, vec4f(x13.y), b13);
    b14 = fma(gb1, vec4f(x13.z), b14);
    b15 = fma(gb1, vec4f(x13.w), b15);
    let gc1 = select(vec4f(), gradient[g + step + 2u * lanes], both);
    c0 = fma(gc1, vec4f(x10.x), c0);
    c1 = fma(gc1, vec4f(x10.y), c1);
    c2 = fma(gc1, vec4f(x10.z), c2);
    c3 = fma(gc1, vec4f(x10.w), c3);
    c4 = fma(gc1, vec4f(x11.x), c4);
    c5 = fma(gc1, vec4f(x11.y), c5);
    c6 = fma(gc1, vec4f(x11.z), c6);
    c7 = fma(gc1, vec4f(x11.w), c7);
    c8 = fma(gc1, vec4f(x12.x), c8);
    c9 = fma(gc1, vec4f(x12.y), c9);
    c10 = fma(gc1, vec4f(x12.z), c10);
    c11 = fma(gc1, vec4f(x12.w), c11);
    c12 = fma(gc1, vec4f(x13.x), c12);
    c13 = fma(gc1, vec4f(x13.y), c13);
    c14 = fma(gc1, vec4f(x13.z), c14);
    c15 = fma(gc1, vec4f(x13.w), c15);
    let gd1 = select(vec4f(), gradient[g + step + 3u * lanes], both);
    d0 = fma(gd1, vec4f(x10.x), d0);
    d1 = fma(gd1, vec4f(x10.y), d1);
    d2 = fma(gd1, vec4f(x10.z), d2);
    d3 = fma(gd1, vec4f(x10.w), d3);
    d4 = fma(gd1, vec4f(x11.x), d4);
    d5 = fma(gd1, vec4f(x11.y), d5);
    d6 = fma(gd1, vec4f(x11.z), d6);
    d7 = fma(gd1, vec4f(x11.w), d7);
    d8 = fma(gd1, vec4f(x12.x), d8);
    d9 = fma(gd1, vec4f(x12.y), d9);
    d10 = fma(gd1, vec4f(x12.z), d10);
    d11 = fma(gd1, vec4f(x12.w), d11);
    d12 = fma(gd1, vec4f(x13.x), d12);
    d13 = fma(gd1, vec4f(x13.y), d13);
    d14 = fma(gd1, vec4f(x13.z), d14);
    d15 = fma(gd1, vec4f(x13.w), d15);
    at += 2u * inputs;
    g += 2u * step;
  }
  // Stores in a loop: written out they are most of what there is to compile.
  var a = array<vec4f, 16>(a0, a1, a2, a3, a4, a5, a6, a7, a8, a9, a10, a11, a12, a13, a14, a15);
  var b = array<vec4f, 16>(b0, b1, b2, b3, b4, b5, b6, b7, b8, b9, b10, b11, b12, b13, b14, b15);
  var c = array<vec4f, 16>(c0, c1, c2, c3, c4, c5, c6, c7, c8, c9, c10, c11, c12, c13, c14, c15);
  var d = array<vec4f, 16>(d0, d1, d2, d3, d4, d5, d6, d7, d8, d9, d10, d11, d12, d13, d14, d15);
  for (var r = 0u; r < 16u; r++) {
    if (i + r < shape.INPUTS) {
      let to = (group.z * shape.INPUTS + i + r) * step + o;
      partial[to] = a[r];
      if (o + lanes < step) {
        partial[to + lanes] = b[r];
      }
      if (o + 2u * lanes < step) {
        partial[to + 2u * lanes] = c[r];
      }
      if (o + 3u * lanes < step) {
        partial[to + 3u * lanes] = d[r];
      }
    }
  }
}
