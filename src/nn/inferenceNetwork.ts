// Towers for inference, built from operations without their chain rules, so that a page that only embeds downloads no
// training code.
import { plainBatchNorm } from "../ops/batchNorm.ts";
import { plainConv2d } from "../ops/conv2d.ts";
import { plainDense } from "../ops/dense.ts";
import { plainMaxPool2d } from "../ops/maxPool2d.ts";
import { plainCentralDifference } from "../ops/spatial/centralDifference.ts";
import { plainGlobalAveragePool } from "../ops/spatial/globalAveragePool.ts";
import type { Network } from "./network.ts";
import type { NetworkOptions } from "./networkOptions.ts";
import { type Layers, tower } from "./towers.ts";

const layers: Layers = {
  conv2d: plainConv2d,
  maxPool2d: plainMaxPool2d,
  batchNorm: plainBatchNorm,
  dense: plainDense,
  centralDifference: plainCentralDifference,
  globalAveragePool: plainGlobalAveragePool,
};

export const inferenceNetwork = (options: Required<NetworkOptions>): Pick<Network, "options" | "tower"> => ({
  options,
  tower: (tape, images, mode) => tower(tape, images, options, mode, layers),
});
