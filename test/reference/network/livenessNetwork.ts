// The whole liveness network and its backward pass, by the references alone: the tower on one picture -> dense 1; mean
// cross-entropy + L2 of the conv kernels.

import { type NdArray, type NdArrays, scalar } from "../ndarray.ts";
import { dense, denseGradients } from "../ops/dense.ts";
import { sigmoidCrossEntropy, sigmoidCrossEntropyGradients } from "../ops/losses/sigmoidCrossEntropy.ts";
import { tower } from "./tower.ts";

export interface LivenessBatch {
  images: NdArray; // [B, H, W, C]
  live: NdArray; // [B], 1 where a live person is shown
}

/** Loss and gradients of one training batch, for parameters under their public names. */
export function liveness(
  p: NdArrays,
  batch: LivenessBatch,
  l2: number,
  theta = 0,
): { loss: number; gradients: NdArrays } {
  const { embedding, penalty, backward } = tower(p, batch.images, 1, l2, { theta });
  const head = { x: embedding, kernel: p["head/kernel"], bias: p["head/bias"] };
  const entropy = { logits: dense(head, {}), labels: batch.live };
  const loss = sigmoidCrossEntropy(entropy).data[0] + penalty;
  const headG = denseGradients(head, {}, sigmoidCrossEntropyGradients(entropy, {}, scalar(1)).logits);
  return { loss, gradients: { ...backward(headG.x), "head/kernel": headG.kernel, "head/bias": headG.bias } };
}
