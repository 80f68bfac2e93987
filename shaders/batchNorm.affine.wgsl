// Joins the parts' moments in their order (Chan, Golub and LeVeque 1979):
//   d = mean_b - mean;  mean += d n_b / n;  M2 += M2_b + d^2 n_a n_b / n
// and writes what the next layer reads its input through, scale (x - mean) + beta: for each group mean,
// scale = gamma / sqrt(variance + EPSILON), beta and 1 / sqrt(variance + EPSILON), the variance being the population's.
// With MOVING 1 the averages move, too: moving = MOMENTUM moving + (1 - MOMENTUM) statistic, once for each group in turn.
// A workgroup takes four channels: each thread every 64th part, then a tree over the threads.
// What differs from layer to layer is read, so that all of them share one pipeline.
struct Shape {
  CHANNELS: u32, // vec4s
  PARTS: u32, // of one group
  GROUPS: u32,
}

override EPSILON: f32;
override MOVING: u32 = 0u;
override MOMENTUM: f32 = 0.99;

const WORKGROUP: u32 = 64;

@group(0) @binding(0) var<storage, read> partial: array<vec4f>; // [GROUPS, PARTS, 3, CHANNELS]: count, mean, M2
@group(0) @binding(1) var<storage, read> gamma: array<vec4f>;
@group(0) @binding(2) var<storage, read> beta: array<vec4f>;
@group(0) @binding(3) var<storage, read_write> affine: array<vec4f>; // [GROUPS, 4, CHANNELS]
@group(0) @binding(4) var<storage, read_write> moving_mean: array<vec4f>;
@group(0) @binding(5) var<storage, read_write> moving_variance: array<vec4f>;
@group(0) @binding(6) var<uniform> shape: Shape;

var<workgroup> counts: array<f32, WORKGROUP>;
var<workgroup> means: array<vec4f, WORKGROUP>;
var<workgroup> squares: array<vec4f, WORKGROUP>;

fn join(t: u32, n: f32, mean: vec4f, m2: vec4f) {
  let together = counts[t] + n;
  if (n > 0.0) {
    let d = mean - means[t];
    means[t] += d * (n / together);
    squares[t] += m2 + d * d * (counts[t] * n / together);
    counts[t] = together;
  }
}

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(workgroup_id) id: vec3u, @builtin(local_invocation_index) t: u32) {
  let c = id.x;
  for (var group = 0u; group < shape.GROUPS; group++) {
    counts[t] = 0.0;
    means[t] = vec4f();
    squares[t] = vec4f();
    for (var part = t; part < shape.PARTS; part += WORKGROUP) {
      let at = (group * shape.PARTS + part) * 3u * shape.CHANNELS + c;
      join(t, partial[at].x, partial[at + shape.CHANNELS], partial[at + 2u * shape.CHANNELS]);
    }
    workgroupBarrier();
    for (var width = WORKGROUP / 2u; width > 0u; width /= 2u) {
      if (t < width) {
        join(t, counts[t + width], means[t + width], squares[t + width]);
      }
      workgroupBarrier();
    }
    if (t == 0u) {
      let variance = max(squares[0], vec4f()) / counts[0];
      let inverse = 1.0 / sqrt(variance + EPSILON);
      let at = group * 4u * shape.CHANNELS + c;
      affine[at] = means[0];
      affine[at + shape.CHANNELS] = gamma[c] * inverse;
      affine[at + 2u * shape.CHANNELS] = beta[c];
      affine[at + 3u * shape.CHANNELS] = inverse;
      if (MOVING == 1u) {
        moving_mean[c] = MOMENTUM * moving_mean[c] + (1.0 - MOMENTUM) * means[0];
        moving_variance[c] = MOMENTUM * moving_variance[c] + (1.0 - MOMENTUM) * variance;
      }
    }
    workgroupBarrier();
  }
}
