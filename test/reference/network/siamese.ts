// The whole Siamese network and its backward pass, by the references alone: the tower on both pictures, |left - right| ->
// dense 1; mean cross-entropy + L2 of the conv kernels.

import { type NdArray, type NdArrays, scalar, sizeOf } from "../ndarray.ts";
import { absDifference, absDifferenceGradients } from "../ops/absDifference.ts";
import { dense, denseGradients } from "../ops/dense.ts";
import { sigmoidCrossEntropy, sigmoidCrossEntropyGradients } from "../ops/losses/sigmoidCrossEntropy.ts";
import { type TowerOptions, tower } from "./tower.ts";

export interface SiameseBatch {
  left: NdArray; // [B, H, W, C] in [0, 1]
  right: NdArray;
  same: NdArray; // [B], 1 where both pictures show the same person
}

/** The rows of two arrays, one after the other, and back. */
const concatenate = (a: NdArray, b: NdArray): NdArray => ({
  shape: [a.shape[0] + b.shape[0], ...a.shape.slice(1)],
  data: Float64Array.of(...a.data, ...b.data),
});
const half = (x: NdArray, which: 0 | 1): NdArray => {
  const shape = [x.shape[0] / 2, ...x.shape.slice(1)];
  const size = sizeOf(shape);
  return { shape, data: x.data.slice(which * size, (which + 1) * size) };
};

/** Loss and gradients of one training batch, for parameters under their public names. */
export function siamese(
  p: NdArrays,
  batch: SiameseBatch,
  l2: number,
  options: TowerOptions = {},
): { loss: number; gradients: NdArrays } {
  // The left half of the batch and the right half, each with its statistics.
  const { embedding, penalty, backward } = tower(p, concatenate(batch.left, batch.right), 2, l2, options);
  const difference = { a: half(embedding, 0), b: half(embedding, 1) };
  const head = { x: absDifference(difference), kernel: p["head/kernel"], bias: p["head/bias"] };
  const entropy = { logits: dense(head, {}), labels: batch.same };
  const loss = sigmoidCrossEntropy(entropy).data[0] + penalty;

  const headG = denseGradients(head, {}, sigmoidCrossEntropyGradients(entropy, {}, scalar(1)).logits);
  const differenceG = absDifferenceGradients(difference, {}, headG.x);
  const gradients = backward(concatenate(differenceG.a, differenceG.b));
  return { loss, gradients: { ...gradients, "head/kernel": headG.kernel, "head/bias": headG.bias } };
}
