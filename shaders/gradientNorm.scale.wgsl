// The factor that scales the gradients down to the global norm CLIP if it is exceeded: CLIP / max(norm, CLIP)
// (Pascanu, Mikolov and Bengio 2013, algorithm 1). The norm comes as pairs (m, s), m^2 s each (gradientNorm.partial).
// Exact to rounding while the factor is a normal float32: for norms up to 1e37 CLIP.
override COUNT: u32; // pairs
override CLIP: f32;

const WORKGROUP: u32 = 64;

@group(0) @binding(0) var<storage, read> partials: array<vec2f>;
@group(0) @binding(1) var<storage, read_write> output: array<f32>;

var<workgroup> partial: array<vec2f, WORKGROUP>;

fn combine(a: vec2f, b: vec2f) -> vec2f {
  if (a.x == 0.0) {
    return b;
  }
  if (b.x == 0.0) {
    return a;
  }
  let m = select(a.x, b.x, b.x > a.x); // NaN stays: max() may drop it
  let ra = a.x / m;
  let rb = b.x / m;
  return vec2f(m, a.y * ra * ra + b.y * rb * rb);
}

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(local_invocation_id) local: vec3u) {
  var total = vec2f(0.0);
  for (var i = local.x; i < COUNT; i += WORKGROUP) {
    total = combine(total, partials[i]);
  }
  partial[local.x] = total;
  workgroupBarrier();
  for (var width = WORKGROUP / 2u; width > 0u; width /= 2u) {
    if (local.x < width) {
      partial[local.x] = combine(partial[local.x], partial[local.x + width]);
    }
    workgroupBarrier();
  }
  if (local.x == 0u) {
    let root = sqrt(partial[0].y); // at least 1 if there is any gradient
    let relative = CLIP / partial[0].x; // not m * root, which may overflow
    let factor = relative / root;
    output[0] = select(factor, 1.0, (factor > 1.0) | (partial[0].x == 0.0));
  }
}
