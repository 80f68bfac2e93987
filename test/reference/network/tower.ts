// The tower and its backward pass, by the references alone: for each block conv 3x3 SAME -> max-pool 2x2 -> batch-norm ->
// ReLU, then dense sigmoid, or of patches the mean over all pixels; and the L2 of the conv kernels, which goes with it.

import { map, type NdArray, type NdArrays, scalar } from "../ndarray.ts";
import { type BatchNormOptions, batchNorm, batchNormGradients } from "../ops/batchNorm.ts";
import { conv2d, conv2dGradients } from "../ops/conv2d.ts";
import { dense, denseGradients } from "../ops/dense.ts";
import { flatten, flattenGradients } from "../ops/flatten.ts";
import { l2Penalty, l2PenaltyGradients } from "../ops/losses/l2Penalty.ts";
import { maxPool2d, maxPool2dGradients } from "../ops/maxPool2d.ts";
import { relu, reluGradients } from "../ops/relu.ts";
import { centralDifference, centralDifferenceGradients } from "../ops/spatial/centralDifference.ts";
import { globalAveragePool, globalAveragePoolGradients } from "../ops/spatial/globalAveragePool.ts";

const CONV = { stride: 1, padding: "same" } as const;
const POOL = { size: 2, stride: 2, padding: "valid" } as const;

export interface TowerOptions {
  epsilon?: number;
  /** Of the last layer. */
  activation?: "sigmoid" | "linear" | "relu";
  /** Of the central differences. */
  theta?: number;
  /** Blocks that keep their weights, as `tower/block1`: normalized by their moving averages, without a penalty. */
  frozen?: readonly string[];
}

function resolved({ epsilon = 1e-3, activation = "sigmoid", theta = 0 }: TowerOptions) {
  return { epsilon, theta, activation: activation === "linear" ? undefined : activation };
}

function blockInputs(p: NdArrays, n: number, x: NdArray, theta: number, options: BatchNormOptions) {
  const name = `tower/block${n}`;
  const kernel = { filter: p[`${name}/conv/kernel`] };
  const conv = { x, filter: centralDifference(kernel, { theta }), bias: p[`${name}/conv/bias`] };
  const pool = { x: conv2d(conv, CONV) };
  const moving = { mean: p[`${name}/norm/moving_mean`], variance: p[`${name}/norm/moving_variance`] };
  const norm = { x: maxPool2d(pool, POOL), gamma: p[`${name}/norm/gamma`], beta: p[`${name}/norm/beta`], ...moving };
  return { name, kernel, conv, pool, norm, options, relu: { x: batchNorm(norm, options) } };
}

/**
 * Embeddings of pictures in a training batch, cut into `groups` with statistics of their own; the penalty of its kernels;
 * and from the gradient of the embeddings those of its parameters, the penalty's included.
 */
export function tower(p: NdArrays, images: NdArray, groups: number, l2: number, options: TowerOptions = {}) {
  const { epsilon, activation, theta } = resolved(options);
  const isFrozen = (name: string) => options.frozen?.includes(name) ?? false;
  const blocks: ReturnType<typeof blockInputs>[] = [];
  let x = images;
  while (p[`tower/block${blocks.length + 1}/conv/kernel`]) {
    const n = blocks.length + 1;
    const block = blockInputs(p, n, x, theta, { groups, epsilon, training: !isFrozen(`tower/block${n}`) });
    blocks.push(block);
    x = relu(block.relu);
  }
  const pooled = p["tower/dense/kernel"] === undefined;
  const towerDense = { x: flatten({ x }), kernel: p["tower/dense/kernel"], bias: p["tower/dense/bias"] };
  let penalty = 0;
  for (const { name, kernel } of blocks) {
    if (!isFrozen(name)) penalty += l2Penalty({ parameter: kernel.filter }, { factor: l2 }).data[0];
  }

  const backward = (embeddingG: NdArray): NdArrays => {
    const gradients: NdArrays = {};
    let g: NdArray;
    if (pooled) {
      g = globalAveragePoolGradients({ x }, {}, embeddingG).x;
    } else {
      const towerG = denseGradients(towerDense, { activation }, embeddingG);
      gradients["tower/dense/kernel"] = towerG.kernel;
      gradients["tower/dense/bias"] = towerG.bias;
      g = flattenGradients({ x }, {}, towerG.x).x;
    }
    for (const block of blocks.toReversed()) {
      const normG = batchNormGradients(block.norm, block.options, reluGradients(block.relu, {}, g).x);
      gradients[`${block.name}/norm/gamma`] = normG.gamma;
      gradients[`${block.name}/norm/beta`] = normG.beta;
      const convG = conv2dGradients(block.conv, CONV, maxPool2dGradients(block.pool, POOL, normG.x).x);
      const penaltyG = l2PenaltyGradients({ parameter: block.kernel.filter }, { factor: l2 }, scalar(1)).parameter;
      const kernelG = centralDifferenceGradients(block.kernel, { theta }, convG.filter).filter;
      gradients[`${block.name}/conv/kernel`] = map(kernelG, (value, i) => value + penaltyG.data[i]);
      gradients[`${block.name}/conv/bias`] = convG.bias;
      g = convG.x;
    }
    return gradients;
  };
  const embedding = pooled ? globalAveragePool({ x }) : dense(towerDense, { activation });
  return { embedding, penalty, backward };
}

/** Embeddings of pictures by the moving averages. */
export function embed(p: NdArrays, images: NdArray, options: TowerOptions = {}): NdArray {
  const { epsilon, activation, theta } = resolved(options);
  let x = images;
  for (let n = 1; p[`tower/block${n}/conv/kernel`]; n++) {
    x = relu(blockInputs(p, n, x, theta, { epsilon, training: false }).relu);
  }
  if (!p["tower/dense/kernel"]) return globalAveragePool({ x });
  const input = { x: flatten({ x }), kernel: p["tower/dense/kernel"], bias: p["tower/dense/bias"] };
  return dense(input, { activation });
}
