// y = gamma * (x - mean) / sqrt(variance + epsilon) + beta, statistics over all axes but the last (Ioffe and Szegedy
// 2015). With groups, the batch is cut into that many equal parts, each with a mean and variance of its own.

import { map, type NdArray, type NdArrays, zeros } from "../ndarray.ts";

export interface BatchNormOptions {
  epsilon?: number;
  groups?: number;
  training?: boolean;
  momentum?: number;
}

/** Mean and population variance, [groups, C]. */
export function batchStatistics(x: NdArray, groups: number) {
  const C = x.shape[x.shape.length - 1];
  const count = x.data.length / C / groups; // values that share one mean
  const group = (i: number) => Math.floor(i / (count * C)) * C + (i % C);
  const mean = zeros([groups, C]);
  const variance = zeros([groups, C]);
  for (let i = 0; i < x.data.length; i++) mean.data[group(i)] += x.data[i] / count;
  for (let i = 0; i < x.data.length; i++) variance.data[group(i)] += (x.data[i] - mean.data[group(i)]) ** 2 / count;
  return { mean, variance, count, group };
}

/** The normalized input and the inverse deviation, for either mode. */
function normalize({ x, mean, variance }: NdArrays, { epsilon = 1e-3, groups = 1, training = true }: BatchNormOptions) {
  const C = x.shape[x.shape.length - 1];
  const statistics = training ? batchStatistics(x, groups) : { mean, variance, count: 1, group: (i: number) => i % C };
  const { group, count } = statistics;
  const inverse = map(statistics.variance, (v) => 1 / Math.sqrt(v + epsilon));
  const normalized = map(x, (value, i) => (value - statistics.mean.data[group(i)]) * inverse.data[group(i)]);
  return { normalized, inverse, group, count };
}

/** Inputs x, gamma, beta; in inference (`training: false`) also the moving `mean` and `variance`. */
export function batchNorm(inputs: NdArrays, options: BatchNormOptions): NdArray {
  const { gamma, beta } = inputs;
  const C = gamma.data.length;
  return map(normalize(inputs, options).normalized, (value, i) => gamma.data[i % C] * value + beta.data[i % C]);
}

export function batchNormGradients(inputs: NdArrays, options: BatchNormOptions, g: NdArray): NdArrays {
  const { gamma, beta } = inputs;
  const { normalized, inverse, group, count } = normalize(inputs, options);
  const C = gamma.data.length;
  const gradients = { gamma: zeros(gamma.shape), beta: zeros(beta.shape) };
  // Means over a group of g and of g * normalized: the gradient of x through the batch's mean and variance.
  const meanG = zeros(inverse.shape);
  const meanGN = zeros(inverse.shape);
  for (let i = 0; i < g.data.length; i++) {
    gradients.gamma.data[i % C] += g.data[i] * normalized.data[i];
    gradients.beta.data[i % C] += g.data[i];
    meanG.data[group(i)] += g.data[i] / count;
    meanGN.data[group(i)] += (g.data[i] * normalized.data[i]) / count;
  }
  const { training = true } = options;
  const x = map(g, (value, i) => {
    const k = group(i);
    const throughStatistics = training ? meanG.data[k] + normalized.data[i] * meanGN.data[k] : 0;
    return gamma.data[i % C] * inverse.data[k] * (value - throughStatistics);
  });
  return { x, ...gradients };
}

/** moving = momentum * moving + (1 - momentum) * batch, once for each group in turn, as separate calls would. */
export function movingAverages({ x, mean, variance }: NdArrays, { groups = 1, momentum = 0.99 }: BatchNormOptions) {
  const batch = batchStatistics(x, groups);
  const C = mean.data.length;
  const update = (moving: NdArray, statistic: NdArray) =>
    map(moving, (old, c) => {
      let value = old;
      for (let k = 0; k < groups; k++) value = momentum * value + (1 - momentum) * statistic.data[k * C + c];
      return value;
    });
  return { mean: update(mean, batch.mean), variance: update(variance, batch.variance) };
}
