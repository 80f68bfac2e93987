// Runs one public operation through `valueAndGradients` and compares its value and gradients with the float64
// reference.

import {
  absDifference,
  add,
  batchHardTripletLoss,
  batchNorm,
  centralDifference,
  contrastiveLoss,
  conv2d,
  type Device,
  dense,
  flatten,
  globalAveragePool,
  l2Normalize,
  l2Penalty,
  matmul,
  maxPool2d,
  mean,
  relu,
  scale,
  semiHardTripletLoss,
  sigmoid,
  sigmoidCrossEntropy,
  sum,
  supervisedContrastiveLoss,
  type Tensor,
  tensor,
  tripletLoss,
  type Value,
  valueAndGradients,
} from "../../src/index.ts";
import { normal } from "../random.ts";
import type { NdArray, NdArrays } from "../reference/ndarray.ts";
import { type OperationName, referenceOf } from "../reference/operations.ts";
import { assertClose, assertEqual, type Tolerance } from "./suite.ts";

type Tensors = Record<string, Tensor>;

/** The public call of each operation, from tensors with the references' input names. */
// biome-ignore lint/suspicious/noExplicitAny: each operation has its own options; the suites pass matching ones
const calls: Record<OperationName, (tensors: Tensors, options: any) => Tensor> = {
  conv2d: ({ x, filter, bias }, options) => conv2d(x, filter, { bias, ...options }),
  maxPool2d: ({ x }, options) => maxPool2d(x, options),
  batchNorm: ({ x, gamma, beta, mean, variance }, options) =>
    batchNorm(x, { gamma, beta, ...(mean && { moving: { mean, variance } }), ...options }),
  centralDifference: ({ filter }, { theta }) => centralDifference(filter, theta),
  globalAveragePool: ({ x }) => globalAveragePool(x),
  relu: ({ x }) => relu(x),
  sigmoid: ({ x }) => sigmoid(x),
  flatten: ({ x }) => flatten(x),
  absDifference: ({ a, b }) => absDifference(a, b),
  add: ({ a, b }) => add(a, b),
  scale: ({ x }, { k }) => scale(x, k),
  sum: ({ x }) => sum(x),
  mean: ({ x }) => mean(x),
  dense: ({ x, kernel, bias }, options) => dense(x, kernel, { bias, ...options }),
  matmul: ({ a, b }) => matmul(a, b),
  l2Normalize: ({ x }, options) => l2Normalize(x, options),
  sigmoidCrossEntropy: ({ logits, labels }) => sigmoidCrossEntropy(logits, labels),
  contrastiveLoss: ({ a, b, same }, options) => contrastiveLoss(a, b, same, options),
  tripletLoss: ({ anchor, positive, negative }, options) => tripletLoss(anchor, positive, negative, options),
  batchHardTripletLoss: ({ embeddings, labels }, options) => batchHardTripletLoss(embeddings, labels, options),
  semiHardTripletLoss: ({ embeddings, labels }, options) => semiHardTripletLoss(embeddings, labels, options),
  supervisedContrastiveLoss: ({ embeddings, labels }, options) =>
    supervisedContrastiveLoss(embeddings, labels, options),
  l2Penalty: ({ parameter }, { factor }) => l2Penalty(parameter, factor),
};

export const toValue = ({ shape, data }: NdArray): Value => tensor([...shape], Float32Array.from(data));

/** Evaluates one operation on the GPU; without `outputGradient` its value must be a scalar. */
export function evaluateOperation(
  device: Device,
  op: OperationName,
  inputs: NdArrays,
  options: object,
  gradientsOf: string[],
  outputGradient?: NdArray,
) {
  const values = Object.fromEntries(Object.entries(inputs).map(([name, array]) => [name, toValue(array)]));
  return valueAndGradients(device, (tensors: Tensors) => calls[op](tensors, options), values, {
    gradientsOf,
    ...(outputGradient && { outputGradient: toValue(outputGradient) }),
  });
}

export interface Check extends Omit<Tolerance, "scale"> {
  /** See `Tolerance.scale`: for the value, or for the gradient of one input. */
  scale?: Record<string, number>;
}

/** The gradients checked are all those that the reference has; the output's gradient is random. */
export async function checkOperation(
  device: Device,
  op: OperationName,
  inputs: NdArrays,
  options: object = {},
  { tolerance, scale = {} }: Check = {},
): Promise<void> {
  const value = referenceOf(op).value(inputs, options);
  const isScalar = value.shape.length === 0;
  const g = isScalar ? { shape: [], data: Float64Array.of(1) } : normal(value.shape, 77);
  const gradients = referenceOf(op).gradients(inputs, options, g);
  await compareOperation(device, op, inputs, options, { value, gradients }, isScalar ? undefined : g, (name) => ({
    tolerance,
    scale: scale[name],
  }));
}

/** As `checkOperation`, against a given value and gradients. */
export async function compareOperation(
  device: Device,
  op: OperationName,
  inputs: NdArrays,
  options: object,
  expected: { value: NdArray; gradients: NdArrays },
  outputGradient: NdArray | undefined,
  toleranceOf: (name: string) => Tolerance = () => ({}),
): Promise<void> {
  const names = Object.keys(expected.gradients);
  const actual = await evaluateOperation(device, op, inputs, options, names, outputGradient);
  if (outputGradient) assertEqual(`${op} shape`, actual.value.shape, expected.value.shape);
  assertClose(`${op} value`, actual.value.data, expected.value.data, toleranceOf("value"));
  for (const name of names) {
    assertEqual(`${op} shape of gradient of ${name}`, actual.gradients[name].shape, expected.gradients[name].shape);
    const reference = expected.gradients[name].data;
    assertClose(`${op} gradient of ${name}`, actual.gradients[name].data, reference, toleranceOf(name));
  }
}
