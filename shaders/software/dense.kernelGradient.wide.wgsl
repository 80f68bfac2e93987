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

// Sums of four columns o for 16 rows i. What no loop indexes the compiler keeps in registers.
alias Sums = array<vec4f, 16>;

// Adds one term: four columns of the gradient times 16 rows of x.
fn add(sums: ptr<function, Sums>, g: vec4f, x0: vec4f, x1: vec4f, x2: vec4f, x3: vec4f) {
  (*sums)[0] = fma(g, vec4f(x0.x), (*sums)[0]);
  (*sums)[1] = fma(g, vec4f(x0.y), (*sums)[1]);
  (*sums)[2] = fma(g, vec4f(x0.z), (*sums)[2]);
  (*sums)[3] = fma(g, vec4f(x0.w), (*sums)[3]);
  (*sums)[4] = fma(g, vec4f(x1.x), (*sums)[4]);
  (*sums)[5] = fma(g, vec4f(x1.y), (*sums)[5]);
  (*sums)[6] = fma(g, vec4f(x1.z), (*sums)[6]);
  (*sums)[7] = fma(g, vec4f(x1.w), (*sums)[7]);
  (*sums)[8] = fma(g, vec4f(x2.x), (*sums)[8]);
  (*sums)[9] = fma(g, vec4f(x2.y), (*sums)[9]);
  (*sums)[10] = fma(g, vec4f(x2.z), (*sums)[10]);
  (*sums)[11] = fma(g, vec4f(x2.w), (*sums)[11]);
  (*sums)[12] = fma(g, vec4f(x3.x), (*sums)[12]);
  (*sums)[13] = fma(g, vec4f(x3.y), (*sums)[13]);
  (*sums)[14] = fma(g, vec4f(x3.z), (*sums)[14]);
  (*sums)[15] = fma(g, vec4f(x3.w), (*sums)[15]);
}

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
  var a = Sums();
  var b = Sums();
  var c = Sums();
  var d = Sums();
  var at = (k * shape.ROWS + first) * inputs + i / 4u;
  var g = (k * shape.ROWS + first) * step + o;
  for (var row = first; row < end; row += 2u) {
    let x0 = x[at];
    let x1 = x[at + 1u];
    let x2 = x[at + 2u];
    let x3 = x[at + 3u];
    add(&a, gradient[g], x0, x1, x2, x3);
    add(&b, gradient[g + lanes], x0, x1, x2, x3);
    add(&c, gradient[g + 2u * lanes], x0, x1, x2, x3);
    add(&d, gradient[g + 3u * lanes], x0, x1, x2, x3);
    // The second term; where there is none, zeros for its gradient make it nothing, whatever was read of x.
    let both = row + 1u < end;
    let next = at + inputs;
    let y0 = x[next];
    let y1 = x[next + 1u];
    let y2 = x[next + 2u];
    let y3 = x[next + 3u];
    add(&a, select(vec4f(), gradient[g + step], both), y0, y1, y2, y3);
    add(&b, select(vec4f(), gradient[g + step + lanes], both), y0, y1, y2, y3);
    add(&c, select(vec4f(), gradient[g + step + 2u * lanes], both), y0, y1, y2, y3);
    add(&d, select(vec4f(), gradient[g + step + 3u * lanes], both), y0, y1, y2, y3);
    at += 2u * inputs;
    g += 2u * step;
  }
  // Stores in a loop, of copies: written out they are most of what there is to compile.
  var ra = a;
  var rb = b;
  var rc = c;
  var rd = d;
  for (var r = 0u; r < 16u; r++) {
    if (i + r < shape.INPUTS) {
      let to = (group.z * shape.INPUTS + i + r) * step + o;
      partial[to] = ra[r];
      if (o + lanes < step) {
        partial[to + lanes] = rb[r];
      }
      if (o + 2u * lanes < step) {
        partial[to + 2u * lanes] = rc[r];
      }
      if (o + 3u * lanes < step) {
        partial[to + 3u * lanes] = rd[r];
      }
    }
  }
}
