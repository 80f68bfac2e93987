// The reference implementations under the names of the public operations.

import { absDifference, absDifferenceGradients } from "./absDifference.ts";
import { add, addGradients } from "./add.ts";
import { batchNorm, batchNormGradients } from "./batchNorm.ts";
import { conv2d, conv2dGradients } from "./conv2d.ts";
import { dense, denseGradients } from "./dense.ts";
import { flatten, flattenGradients } from "./flatten.ts";
import { l2Normalize, l2NormalizeGradients } from "./l2Normalize.ts";
import { batchHardTripletLoss, semiHardTripletLoss, supervisedContrastiveLoss } from "./losses/batchLoss.ts";
import { contrastiveLoss, contrastiveLossGradients } from "./losses/contrastiveLoss.ts";
import { l2Penalty, l2PenaltyGradients } from "./losses/l2Penalty.ts";
import { sigmoidCrossEntropy, sigmoidCrossEntropyGradients } from "./losses/sigmoidCrossEntropy.ts";
import { tripletLoss, tripletLossGradients } from "./losses/tripletLoss.ts";
import { maxPool2d, maxPool2dGradients } from "./maxPool2d.ts";
import { mean, meanGradients } from "./mean.ts";
import type { NdArray, NdArrays } from "./ndarray.ts";
import { relu, reluGradients } from "./relu.ts";
import { scale, scaleGradients } from "./scale.ts";
import { sigmoid, sigmoidGradients } from "./sigmoid.ts";
import { sum, sumGradients } from "./sum.ts";

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
