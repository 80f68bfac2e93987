// The reference implementations under the names of the public operations.

import type { NdArray, NdArrays } from "./ndarray.ts";
import { absDifference, absDifferenceGradients } from "./ops/absDifference.ts";
import { add, addGradients } from "./ops/add.ts";
import { batchNorm, batchNormGradients } from "./ops/batchNorm.ts";
import { conv2d, conv2dGradients } from "./ops/conv2d.ts";
import { dense, denseGradients } from "./ops/dense.ts";
import { flatten, flattenGradients } from "./ops/flatten.ts";
import { l2Normalize, l2NormalizeGradients } from "./ops/l2Normalize.ts";
import { batchHardTripletLoss, semiHardTripletLoss, supervisedContrastiveLoss } from "./ops/losses/batchLoss.ts";
import { contrastiveLoss, contrastiveLossGradients } from "./ops/losses/contrastiveLoss.ts";
import { l2Penalty, l2PenaltyGradients } from "./ops/losses/l2Penalty.ts";
import { sigmoidCrossEntropy, sigmoidCrossEntropyGradients } from "./ops/losses/sigmoidCrossEntropy.ts";
import { tripletLoss, tripletLossGradients } from "./ops/losses/tripletLoss.ts";
import { matmul, matmulGradients } from "./ops/matmul.ts";
import { maxPool2d, maxPool2dGradients } from "./ops/maxPool2d.ts";
import { mean, meanGradients } from "./ops/mean.ts";
import { relu, reluGradients } from "./ops/relu.ts";
import { scale, scaleGradients } from "./ops/scale.ts";
import { sigmoid, sigmoidGradients } from "./ops/sigmoid.ts";
import { centralDifference, centralDifferenceGradients } from "./ops/spatial/centralDifference.ts";
import { globalAveragePool, globalAveragePoolGradients } from "./ops/spatial/globalAveragePool.ts";
import { sum, sumGradients } from "./ops/sum.ts";

/** `gradients` are those of sum(value * outputGradient) with respect to each differentiable input. */
export interface Reference {
  // biome-ignore lint/suspicious/noExplicitAny: each operation has options of its own; the tests pass matching ones
  value(inputs: NdArrays, options: any): NdArray;
  // biome-ignore lint/suspicious/noExplicitAny: as above
  gradients(inputs: NdArrays, options: any, outputGradient: NdArray): NdArrays;
}

export const references = {
  conv2d: { value: conv2d, gradients: conv2dGradients },
  maxPool2d: { value: maxPool2d, gradients: maxPool2dGradients },
  centralDifference: { value: centralDifference, gradients: centralDifferenceGradients },
  globalAveragePool: { value: globalAveragePool, gradients: globalAveragePoolGradients },
  batchNorm: { value: batchNorm, gradients: batchNormGradients },
  relu: { value: relu, gradients: reluGradients },
  sigmoid: { value: sigmoid, gradients: sigmoidGradients },
  flatten: { value: flatten, gradients: flattenGradients },
  absDifference: { value: absDifference, gradients: absDifferenceGradients },
  add: { value: add, gradients: addGradients },
  scale: { value: scale, gradients: scaleGradients },
  sum: { value: sum, gradients: sumGradients },
  mean: { value: mean, gradients: meanGradients },
  dense: { value: dense, gradients: denseGradients },
  matmul: { value: matmul, gradients: matmulGradients },
  l2Normalize: { value: l2Normalize, gradients: l2NormalizeGradients },
  sigmoidCrossEntropy: { value: sigmoidCrossEntropy, gradients: sigmoidCrossEntropyGradients },
  contrastiveLoss: { value: contrastiveLoss, gradients: contrastiveLossGradients },
  tripletLoss: { value: tripletLoss, gradients: tripletLossGradients },
  batchHardTripletLoss,
  semiHardTripletLoss,
  supervisedContrastiveLoss,
  l2Penalty: { value: l2Penalty, gradients: l2PenaltyGradients },
} satisfies Record<string, Reference>;

export type OperationName = keyof typeof references;
export const referenceOf = (name: OperationName): Reference => references[name];
