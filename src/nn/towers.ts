// Towers: from pictures to embeddings, by convolutions as in the TensorFlow article, or with fewer trained layers.
import { TwingradError } from "../errors.ts";
import type { BatchNormOptions, batchNorm } from "../ops/batchNorm.ts";
import type { dense } from "../ops/dense.ts";
import { flatten } from "../ops/flatten.ts";
import type { edgeHistograms } from "../ops/images/edgeHistograms.ts";
import { edgeDirections, histogramWindows } from "../ops/images/edgeShape.ts";
import type { orientedGradients } from "../ops/images/orientedGradients.ts";
import type { centralDifference } from "../ops/spatial/centralDifference.ts";
import type { globalAveragePool } from "../ops/spatial/globalAveragePool.ts";
import type { Tape } from "../tape/tape.ts";
import type { Tensor } from "../tape/tensor.ts";
import { type NetworkOptions, type TowerKind, towerKinds } from "./networkOptions.ts";

type Options = Required<NetworkOptions>;

/** How a network's tower is recorded. */
export interface TowerMode {
  /** Whether batch-norm takes the batch's own statistics, and not the moving averages. */
  readonly training: boolean;
  /** The batch is split into this many branches with separate statistics. */
  readonly groups?: number;
  /** Index of the tower, from 0. */
  readonly index?: number;
}

/** Of a batch-norm with moving averages. */
export type TowerNorm = BatchNormOptions & Required<Pick<BatchNormOptions, "epsilon" | "moving">>;

/** The operations of a tower: with their chain rules, or without for inference. */
export interface Layers {
  /** A 3 x 3 convolution, max-pool, batch-norm and ReLU. */
  readonly block: (x: Tensor, filter: Tensor, bias: Tensor, norm: TowerNorm) => Tensor;
  readonly dense: typeof dense;
  /** Required where `needsRareLayers`. */
  readonly rare?: RareLayers;
}

export interface RareLayers {
  readonly batchNorm: typeof batchNorm;
  readonly centralDifference: typeof centralDifference;
  readonly globalAveragePool: typeof globalAveragePool;
  readonly orientedGradients: typeof orientedGradients;
  readonly edgeHistograms: typeof edgeHistograms;
}

/**
 * Whether a network has other towers than those of pixels, patches, central differences, or blocks that cannot be
 * fused.
 */
export const needsRareLayers = ({ towers, patch, differences, filters }: Options): boolean =>
  towers.some((kind) => kind !== "pixels") || patch > 0 || differences > 0 || filters.some((count) => count % 4 > 0);

/** [N, H, W, C] to [N, embedding]. */
export function tower(tape: Tape, images: Tensor, options: Options, mode: TowerMode, layers: Layers): Tensor {
  const { block, dense, rare } = layers;
  const { filters, embedding, embeddingActivation, batchNormEpsilon, batchNormMomentum, seed, towers } = options;
  const { patch, differences } = options;
  const { training, groups = 1, index = 0 } = mode;
  const name = index === 0 ? "tower" : `tower${index + 1}`; // the first has the name of a single tower
  const kind = towers[index];

  /** The options of a batch-norm over `count` channels. */
  const norm = (scope: string, count: number): TowerNorm => {
    const gamma = tape.parameter(`${scope}/gamma`, [count], { initial: 1 });
    const beta = tape.parameter(`${scope}/beta`, [count], { initial: 0 });
    const mean = tape.parameter(`${scope}/moving_mean`, [count], { initial: 0, trainable: false });
    const variance = tape.parameter(`${scope}/moving_variance`, [count], { initial: 1, trainable: false });
    const moving = { mean, variance, momentum: batchNormMomentum };
    // A frozen batch-norm computes as in inference: statistics of other data would change its output.
    return { gamma, beta, epsilon: batchNormEpsilon, groups, training: training && gamma.trainable, moving };
  };

  let x = kind === "pixels" ? images : rare!.orientedGradients(images);
  if (kind === "histograms") {
    const histograms = flatten(rare!.edgeHistograms(x));
    x = rare!.batchNorm(histograms, norm(`${name}/norm`, histograms.shape[1]));
  } else {
    filters.forEach((count, i) => {
      if (i === 0 && kind === "edges") return;
      const scope = `${name}/block${i + 1}`;
      const kernel = tape.parameter(`${scope}/conv/kernel`, [3, 3, x.shape[3], count], {
        initial: "glorot-uniform",
        seed,
      });
      const bias = tape.parameter(`${scope}/conv/bias`, [count], { initial: 0 });
      const filter = differences > 0 ? rare!.centralDifference(kernel, differences) : kernel;
      x = block(x, filter, bias, norm(`${scope}/norm`, count));
    });
    if (patch > 0) return rare!.globalAveragePool(x);
    x = flatten(x);
  }
  const kernel = tape.parameter(`${name}/dense/kernel`, [x.shape[1], embedding], { initial: "glorot-uniform", seed });
  const bias = tape.parameter(`${name}/dense/bias`, [embedding], { initial: 0 });
  return dense(x, kernel, { bias, activation: embeddingActivation === "linear" ? undefined : embeddingActivation });
}

/** The number of values in a tower's parameters, moving averages included. */
export function towerWeights({ imageSize, filters, embedding, patch }: Options, kind: TowerKind): number {
  const [height, width, channels] = imageSize;
  if (kind === "histograms") {
    const values = histogramWindows(height >> 1) * histogramWindows(width >> 1) * edgeDirections;
    return 4 * values + (values + 1) * embedding;
  }
  const inputs = [channels, ...filters];
  if (kind === "edges") inputs[1] = edgeDirections + channels;
  const blocks = filters.map((count, i) => (kind === "edges" && i === 0 ? 0 : (9 * inputs[i] + 5) * count));
  if (patch > 0) return blocks.reduce((sum, size) => sum + size, 0);
  const flattened = (height >> filters.length) * (width >> filters.length) * filters[filters.length - 1];
  return blocks.reduce((sum, size) => sum + size, 0) + (flattened + 1) * embedding;
}

/** The shorter side of the smallest pictures that these towers accept, in pixels: each block halves them. */
export const leastSide = ({ filters, towers }: Pick<Options, "filters" | "towers">): number =>
  Math.max(2 ** filters.length, towers.includes("histograms") ? 8 : 0);

/** @throws BAD_INPUT for unknown kinds. */
export function checkTowers(name: string, towers: unknown): void {
  const known = Array.isArray(towers) && towers.length > 0 && towers.every((kind) => towerKinds.includes(kind));
  if (known) return;
  const expected = `expected a list of ${towerKinds.join(", ")}`;
  throw new TwingradError("BAD_INPUT", `${name}: towers is ${JSON.stringify(towers)}; ${expected}.`);
}
