// Every public function that returns a tensor, with an example: the inputs with a gradient, and those for which it
// refuses one. test/tensorFunctions.test.ts checks that the list is complete.

import type { Tensor } from "../../../src/index.ts";
import * as twingrad from "../../../src/index.ts";

export interface Example {
  readonly of: (tensors: Record<string, Tensor>) => Tensor;
  /** Shapes of the inputs, with normal values; inputs in `values` have these instead. */
  readonly inputs: Readonly<Record<string, readonly number[]>>;
  readonly values?: Readonly<Record<string, readonly number[]>>;
  readonly gradientsOf?: readonly string[];
  readonly refuses?: readonly string[];
}

const labels = [0, 0, 1, 1];
const embeddings = { inputs: { x: [4, 3], labels: [4] }, values: { labels }, gradientsOf: ["x"], refuses: ["labels"] };
const pictures = { inputs: { x: [1, 4, 4, 1] }, refuses: ["x"] };

export const examples: Readonly<Record<string, Example>> = {
  absDifference: {
    of: ({ a, b }) => twingrad.absDifference(a, b),
    inputs: { a: [3], b: [3] },
    gradientsOf: ["a", "b"],
  },
  add: { of: ({ a, b }) => twingrad.add(a, b), inputs: { a: [3], b: [3] }, gradientsOf: ["a", "b"] },
  batchHardTripletLoss: {
    ...embeddings,
    of: ({ x, labels }) => twingrad.batchHardTripletLoss(x, labels, { margin: 9 }),
  },
  batchNorm: {
    of: ({ x, gamma, beta }) => twingrad.relu(twingrad.batchNorm(x, { gamma, beta })),
    inputs: { x: [9, 2], gamma: [2], beta: [2] },
    gradientsOf: ["x", "gamma", "beta"],
  },
  centralDifference: {
    of: ({ filter }) => twingrad.centralDifference(filter, 0.7),
    inputs: { filter: [3, 3, 2, 4] },
    gradientsOf: ["filter"],
  },
  contrastiveLoss: {
    of: ({ a, b, same }) => twingrad.contrastiveLoss(a, b, same, { margin: 9 }),
    inputs: { a: [4, 3], b: [4, 3], same: [4] },
    values: { same: labels },
    gradientsOf: ["a", "b"],
    refuses: ["same"],
  },
  conv2d: {
    of: ({ x, filter, bias }) => twingrad.conv2d(x, filter, { bias }),
    inputs: { x: [1, 4, 4, 2], filter: [3, 3, 2, 3], bias: [3] },
    gradientsOf: ["x", "filter", "bias"],
  },
  dense: {
    of: ({ x, kernel, bias }) => twingrad.dense(x, kernel, { bias, activation: "sigmoid" }),
    inputs: { x: [3, 4], kernel: [4, 2], bias: [2] },
    gradientsOf: ["x", "kernel", "bias"],
  },
  edgeHistograms: { of: ({ x }) => twingrad.edgeHistograms(x), inputs: { x: [1, 8, 8, 9] }, refuses: ["x"] },
  flatten: { of: ({ x }) => twingrad.flatten(x), inputs: { x: [2, 3, 2] }, gradientsOf: ["x"] },
  gradients: {
    of: ({ x }) => twingrad.gradients(twingrad.sum(twingrad.sigmoid(x)), [x])[0],
    inputs: { x: [3] },
    refuses: ["x"],
  },
  l2Normalize: { of: ({ x }) => twingrad.l2Normalize(x), inputs: { x: [2, 3] }, gradientsOf: ["x"] },
  l2Penalty: { of: ({ x }) => twingrad.l2Penalty(x, 0.5), inputs: { x: [5] }, gradientsOf: ["x"] },
  maxPool2d: { of: ({ x }) => twingrad.maxPool2d(x), inputs: { x: [1, 4, 4, 2] }, gradientsOf: ["x"] },
  matmul: { of: ({ a, b }) => twingrad.matmul(a, b), inputs: { a: [2, 3], b: [3, 4] }, gradientsOf: ["a", "b"] },
  mean: { of: ({ x }) => twingrad.mean(x), inputs: { x: [5] }, gradientsOf: ["x"] },
  orientedGradients: { ...pictures, of: ({ x }) => twingrad.orientedGradients(x) },
  globalAveragePool: { of: ({ x }) => twingrad.globalAveragePool(x), inputs: { x: [2, 3, 4, 5] }, gradientsOf: ["x"] },
  photometric: {
    ...pictures,
    of: ({ x }) =>
      twingrad.photometric(x, x.tape.input("changes", [1, 56], { dtype: "u8" }), { seed: 1, noise: 2, fill: 3 }),
  },
  relu: { of: ({ x }) => twingrad.relu(x), inputs: { x: [9] }, gradientsOf: ["x"] },
  resample: {
    of: ({ x, transforms }) => twingrad.resample(x, transforms, [3, 3]),
    inputs: { x: [1, 4, 4, 1], transforms: [1, 6] },
    refuses: ["x", "transforms"],
  },
  resize: { ...pictures, of: ({ x }) => twingrad.resize(x, [3, 3]) },
  scale: { of: ({ x }) => twingrad.scale(x, 3), inputs: { x: [5] }, gradientsOf: ["x"] },
  scaleBytes: {
    of: ({ x }) => twingrad.scaleBytes(x.tape.input("bytes", [4], { dtype: "u8" })),
    inputs: { x: [1] }, // bytes are never computed, so there is no gradient
  },
  semiHardTripletLoss: { ...embeddings, of: ({ x, labels }) => twingrad.semiHardTripletLoss(x, labels, { margin: 9 }) },
  sigmoid: { of: ({ x }) => twingrad.sigmoid(x), inputs: { x: [5] }, gradientsOf: ["x"] },
  sigmoidCrossEntropy: {
    of: ({ x, labels }) => twingrad.sigmoidCrossEntropy(x, labels),
    inputs: { x: [4], labels: [4] },
    values: { labels },
    gradientsOf: ["x"],
    refuses: ["labels"],
  },
  slice: { of: ({ x }) => twingrad.slice(x, 1, 2), inputs: { x: [4, 2] }, gradientsOf: ["x"] },
  standardize: { ...pictures, of: ({ x }) => twingrad.standardize(x) },
  sum: { of: ({ x }) => twingrad.sum(x), inputs: { x: [5] }, gradientsOf: ["x"] },
  supervisedContrastiveLoss: { ...embeddings, of: ({ x, labels }) => twingrad.supervisedContrastiveLoss(x, labels) },
  tripletLoss: {
    of: ({ a, b, c }) => twingrad.tripletLoss(a, b, c, { margin: 9 }),
    inputs: { a: [4, 3], b: [4, 3], c: [4, 3] },
    gradientsOf: ["a", "b", "c"],
  },
  "Tape.view": { of: ({ x }) => x.tape.view(x, [3, 2]), inputs: { x: [2, 3] }, gradientsOf: ["x"] },
  "Tape.view, a part": { of: ({ x }) => x.tape.view(x, [3]), inputs: { x: [2, 3] }, refuses: ["x"] },
};
