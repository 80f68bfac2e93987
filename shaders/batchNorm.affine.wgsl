// Combines the parts' moments in their order (Chan, Golub and LeVeque 1979):
//   d = mean_b - mean;  mean += d n_b / n;  M2 += M2_b + d^2 n_a n_b / n
// and writes the coefficients through which the next layer reads its input, scale (x - mean) + beta: for each group the
// mean, scale = gamma / sqrt(variance + EPSILON), beta and 1 / sqrt(variance + EPSILON), with the population variance.
// With MOVING 1 the moving averages are updated too: moving = MOMENTUM moving + (1 - MOMENTUM) statistic, once per
// group. Means are combined relative to the group's first value. The remainder of their sum's rounding to float32 is
// subtracted with beta: scale (x - mean - rest) + beta = scale (x - mean) + (beta - scale rest). It is not small
// against x - mean if the mean is large against the deviation. A workgroup computes four channels: each thread every
// 64th part, then a tree over the threads. Extents are in a uniform, so that all layers share one pipeline.
struct Shape {
  CHANNELS: u32, // vec4s
  PARTS: u32, // per group
  GROUPS: u32,
}

override EPSILON: f32;
override MOVING: u32 = 0u;
override MOMENTUM: f32 = 0.99;

const WORKGROUP: u32 = 64;

// partial: [GROUPS, PARTS, 4, CHANNELS]: count, first value, mean - first value, M2
@group(0) @binding(0) var<storage, read> partial: array<vec4f>;
@group(0) @binding(1) var<storage, read> gamma: array<vec4f>;
@group(0) @binding(2) var<storage, read> beta: array<vec4f>;
// affine: [GROUPS, 4, CHANNELS] of mean, scale, beta, 1 / deviation, then [GROUPS, CHANNELS] of the remainder.
@group(0) @binding(3) var<storage, read_write> affine: array<vec4f>;
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
    let first = partial[(group * shape.PARTS * 4u + 1u) * shape.CHANNELS + c];
    counts[t] = 0.0;
    means[t] = vec4f();
    squares[t] = vec4f();
    for (var part = t; part < shape.PARTS; part += WORKGROUP) {
      let at = (group * shape.PARTS + part) * 4u * shape.CHANNELS + c;
      let mean = (partial[at + shape.CHANNELS] - first) + partial[at + 2u * shape.CHANNELS];
      join(t, partial[at].x, mean, partial[at + 3u * shape.CHANNELS]);
    }
    workgroupBarrier();
    for (var width = WORKGROUP / 2u; width > 0u; width /= 2u) {
      if (t < width) {
        join(t, counts[t + width], means[t + width], squares[t + width]);
      }
      workgroupBarrier();
    }
    if (t == 0u) {
      let variance = select(squares[0], vec4f(), squares[0] < vec4f()) / counts[0];
      let inverse = 1.0 / sqrt(variance + EPSILON);
      let at = group * 4u * shape.CHANNELS + c;
      let scale = gamma[c] * inverse;
      let mean = first + means[0];
      let part = mean - first; // of means[0]: this line and the next are exact (Knuth's two-sum)
      let rest = (first - (mean - part)) + (means[0] - part);
      affine[at] = mean;
      affine[at + shape.CHANNELS] = scale;
      affine[at + 2u * shape.CHANNELS] = fma(-scale, rest, beta[c]);
      affine[at + 3u * shape.CHANNELS] = inverse;
      affine[(4u * shape.GROUPS + group) * shape.CHANNELS + c] = rest;
      if (MOVING == 1u) {
        moving_mean[c] = MOMENTUM * moving_mean[c] + (1.0 - MOMENTUM) * mean;
        moving_variance[c] = MOMENTUM * moving_variance[c] + (1.0 - MOMENTUM) * variance;
      }
    }
    workgroupBarrier();
  }
}
