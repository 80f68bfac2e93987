// The whole network and its backward pass, by the references alone: for each block conv 3x3 SAME -> max-pool 2x2 ->
// batch-norm -> ReLU, then dense sigmoid; |left - right| -> dense 1; mean cross-entropy + L2 of the conv kernels.

import { absDifference, absDifferenceGradients } from "./absDifference.ts";
import { batchNorm, batchNormGradients } from "./batchNorm.ts";
import { conv2d, conv2dGradients } from "./conv2d.ts";
import { dense, denseGradients } from "./dense.ts";
import { flatten, flattenGradients } from "./flatten.ts";
import { l2Penalty, l2PenaltyGradients } from "./l2Penalty.ts";
import { maxPool2d, maxPool2dGradients } from "./maxPool2d.ts";
import { map, type NdArray, type NdArrays, scalar, sizeOf } from "./ndarray.ts";
import { relu, reluGradients } from "./relu.ts";
import { sigmoidCrossEntropy, sigmoidCrossEntropyGradients } from "./sigmoidCrossEntropy.ts";

export interface SiameseBatch {
  left: NdArray; // [B, H, W, C] in [0, 1]
  right: NdArray;
  same: NdArray; // [B], 1 where both pictures show the same person
}

const CONV = { stride: 1, padding: "same" } as const;
const POOL = { size: 2, stride: 2, padding: "valid" } as const;
const NORM = { groups: 2, epsilon: 1e-3 }; // the left half of the batch and the right half, each with its statistics

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

function blockInputs(p: NdArrays, n: number, x: NdArray) {
  const name = `tower/block${n}`;
  const conv = { x, filter: p[`${name}/conv/kernel`], bias: p[`${name}/conv/bias`] };
  const pool = { x: conv2d(conv, CONV) };
  const norm = { x: maxPool2d(pool, POOL), gamma: p[`${name}/norm/gamma`], beta: p[`${name}/norm/beta`] };
  return { name, conv, pool, norm, relu: { x: batchNorm(norm, NORM) } };
}

/** Loss and gradients of one training batch, for parameters under their public names. */
export function siamese(p: NdArrays, batch: SiameseBatch, l2: number): { loss: number; gradients: NdArrays } {
  // Forward.
  const blocks: ReturnType<typeof blockInputs>[] = [];
  let x = concatenate(batch.left, batch.right);
  while (p[`tower/block${blocks.length + 1}/conv/kernel`]) {
    const block = blockInputs(p, blocks.length + 1, x);
    blocks.push(block);
    x = relu(block.relu);
  }
  const towerDense = { x: flatten({ x }), kernel: p["tower/dense/kernel"], bias: p["tower/dense/bias"] };
  const embedding = dense(towerDense, { activation: "sigmoid" });
  const difference = { a: half(embedding, 0), b: half(embedding, 1) };
  const head = { x: absDifference(difference), kernel: p["head/kernel"], bias: p["head/bias"] };
  const entropy = { logits: dense(head, {}), labels: batch.same };
  let loss = sigmoidCrossEntropy(entropy).data[0];
  for (const { conv } of blocks) loss += l2Penalty({ parameter: conv.filter }, { factor: l2 }).data[0];

  // Backward, in reverse.
  const one = scalar(1);
  const gradients: NdArrays = {};
  const headG = denseGradients(head, {}, sigmoidCrossEntropyGradients(entropy, {}, one).logits);
  gradients["head/kernel"] = headG.kernel;
  gradients["head/bias"] = headG.bias;
  const differenceG = absDifferenceGradients(difference, {}, headG.x);
  const embeddingG = concatenate(differenceG.a, differenceG.b);
  const towerG = denseGradients(towerDense, { activation: "sigmoid" }, embeddingG);
  gradients["tower/dense/kernel"] = towerG.kernel;
  gradients["tower/dense/bias"] = towerG.bias;
  let g = flattenGradients({ x }, {}, towerG.x).x;
  for (const block of blocks.toReversed()) {
    const normG = batchNormGradients(block.norm, NORM, reluGradients(block.relu, {}, g).x);
    gradients[`${block.name}/norm/gamma`] = normG.gamma;
    gradients[`${block.name}/norm/beta`] = normG.beta;
    const convG = conv2dGradients(block.conv, CONV, maxPool2dGradients(block.pool, POOL, normG.x).x);
    const penaltyG = l2PenaltyGradients({ parameter: block.conv.filter }, { factor: l2 }, one).parameter;
    gradients[`${block.name}/conv/kernel`] = map(convG.filter, (value, i) => value + penaltyG.data[i]);
    gradients[`${block.name}/conv/bias`] = convG.bias;
    g = convG.x;
  }
  return { loss, gradients };
}
