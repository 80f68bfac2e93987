// Layers that few networks have, without their chain rules: loaded when a model has them.
import { plainBatchNorm } from "../ops/batchNorm.ts";
import { plainConv2d } from "../ops/conv2d.ts";
import { edgeHistograms } from "../ops/images/edgeHistograms.ts";
import { orientedGradients } from "../ops/images/orientedGradients.ts";
import { plainMaxPool2d } from "../ops/maxPool2d.ts";
import { plainCentralDifference } from "../ops/spatial/centralDifference.ts";
import { plainGlobalAveragePool } from "../ops/spatial/globalAveragePool.ts";
import type { Layers } from "./towers.ts";

export const withRareLayers = ({ block, dense }: Layers): Layers => ({
  // The fused kernels compute filters in whole vec4s.
  block: (x, filter, bias, norm) =>
    filter.shape[3] % 4 === 0
      ? block(x, filter, bias, norm)
      : plainBatchNorm(plainMaxPool2d(plainConv2d(x, filter, { bias })), { ...norm, activation: "relu" }),
  dense,
  rare: {
    batchNorm: plainBatchNorm,
    centralDifference: plainCentralDifference,
    globalAveragePool: plainGlobalAveragePool,
    orientedGradients,
    edgeHistograms,
  },
});
