// Networks to be trained: towers and heads of operations with their chain rules.
import { batchNorm } from "../ops/batchNorm.ts";
import { conv2d } from "../ops/conv2d.ts";
import { dense } from "../ops/dense.ts";
import { edgeHistograms } from "../ops/images/edgeHistograms.ts";
import { orientedGradients } from "../ops/images/orientedGradients.ts";
import { maxPool2d } from "../ops/maxPool2d.ts";
import { centralDifference } from "../ops/spatial/centralDifference.ts";
import { globalAveragePool } from "../ops/spatial/globalAveragePool.ts";
import type { Tensor } from "../tape/tensor.ts";
import { chosenOptions, type Network, type NetworkTask } from "./network.ts";
import type { NetworkOptions } from "./networkOptions.ts";
import { type Layers, tower } from "./towers.ts";

const layers: Layers = {
  block: (x, filter, bias, norm) => batchNorm(maxPool2d(conv2d(x, filter, { bias })), { ...norm, activation: "relu" }),
  dense,
  rare: { batchNorm, centralDifference, globalAveragePool, orientedGradients, edgeHistograms },
};

/**
 * A network with the article's tower; filters 256, 128, 64, 32 and embedding 1024 by default.
 * @param features maps a batch's embeddings [N, embedding] to the head's input [B, embedding].
 */
export function towerNetwork<T extends NetworkTask>(
  task: T,
  name: string,
  options: NetworkOptions,
  features: (embeddings: Tensor) => Tensor,
): Network & { readonly task: T } {
  const chosen = chosenOptions(name, options);
  const { embedding, seed } = chosen;
  return {
    task,
    options: chosen,

    tower: (tape, images, mode) => tower(tape, images, chosen, mode, layers),

    head(tape, embeddings) {
      const kernel = tape.parameter("head/kernel", [embedding, 1], { initial: "glorot-uniform", seed });
      const bias = tape.parameter("head/bias", [1], { initial: 0 });
      return dense(features(embeddings), kernel, { bias });
    },

    penalised: (tape) =>
      [...tape.parameters].filter(([name]) => /^tower\d*\/block\d+\/conv\/kernel$/.test(name)).map(([, one]) => one),
  };
}
