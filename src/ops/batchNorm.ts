import forwardShader from "../../shaders/batchNorm.forward.wgsl";
import inferenceShader from "../../shaders/batchNorm.inference.wgsl";
import inputGradientShader from "../../shaders/batchNorm.inputGradient.wgsl";
import momentsShader from "../../shaders/batchNorm.moments.wgsl";
import movingShader from "../../shaders/batchNorm.moving.wgsl";
import parameterGradientsShader from "../../shaders/batchNorm.parameterGradients.wgsl";
import statisticsShader from "../../shaders/batchNorm.statistics.wgsl";
import sumsShader from "../../shaders/batchNorm.sums.wgsl";
import { ShapeError } from "../errors.ts";
import { threads } from "../tape/grid.ts";
import { type Backward, tapeOf } from "../tape/tape.ts";
import { describe, type Tensor } from "../tape/tensor.ts";
import { type BatchNormOptions, defaultEpsilon, defaultMomentum } from "./fused/batchNormOptions.ts";
import { fuseBlock } from "./fused/block.ts";

/**
 * gamma (x - mean) / sqrt(variance + epsilon) + beta over all axes but the last (Ioffe and Szegedy 2015); the variance
 * is the population's. x is [B, ..., C]; the result has its shape.
 */
export function batchNorm(x: Tensor, options: BatchNormOptions): Tensor {
  const { gamma, beta, moving, training = true } = options;
  const tape = tapeOf("batchNorm", x, gamma, beta, moving?.mean, moving?.variance);
  const groups = training ? (options.groups ?? 1) : 1;
  const channels = checkShapes(x, options, groups);
  const apart = (moving?: BatchNormOptions["moving"]) => normalise(x, { ...options, moving }, groups, channels);
  const fused = fuseBlock(x, options, groups, () => apart(training ? undefined : moving).backward);
  if (fused) return fused;
  const { output, backward } = apart(moving);
  return tape.record("batchNorm", [x, gamma, beta], output, backward);
}

/** The launches of the forward pass, and the chain rule. */
function normalise(
  x: Tensor,
  options: BatchNormOptions,
  groups: number,
  channels: number,
): { output: Tensor; backward: Backward } {
  const { gamma, beta, epsilon: EPSILON = defaultEpsilon, moving, training = true, activation } = options;
  const { tape } = x;

  const rows = x.size / channels / groups;
  const chunk = Math.max(16, Math.ceil(Math.sqrt(rows))); // as many chunks as rows in one: both passes stay short
  const chunks = Math.ceil(rows / chunk);
  const shape = { CHANNELS: channels, GROUPS: groups };
  const split = { ...shape, ROWS: rows, CHUNK: chunk, CHUNKS: chunks };
  const { groups: grid, constants } = threads(channels * chunks * groups);
  const chunked = { ...split, ROW: constants.ROW };
  const perChannel = [Math.ceil(channels / 64)] as const;
  const RELU = activation === "relu" ? 1 : 0;

  const statistics = tape.temporary("statistics", [3, groups, channels]);
  if (training) {
    const partial = tape.temporary("moments", [groups, chunks, channels, 2]);
    tape.launch(momentsShader, { x, partial }, chunked, grid);
    tape.launch(statisticsShader, { x, partial, statistics }, { ...split, EPSILON }, [
      Math.ceil((groups * channels) / 64),
    ]);
    if (moving) {
      const MOMENTUM = moving.momentum ?? defaultMomentum;
      const averages = { moving_mean: moving.mean, moving_variance: moving.variance };
      tape.launch(movingShader, { statistics, ...averages }, { ...shape, MOMENTUM }, perChannel);
    }
  } else {
    const averages = { moving_mean: moving!.mean, moving_variance: moving!.variance };
    tape.launch(inferenceShader, { ...averages, statistics }, { CHANNELS: channels, EPSILON }, perChannel);
  }
  const output = tape.temporary("batch-norm", x.shape);
  tape.launch(forwardShader, { x, statistics, gamma, beta, output }, { ...chunked, RELU }, grid);

  const backward: Backward = (gradient, wanted) => {
    const partial = tape.temporary("gradient sums", [groups, chunks, channels, 2]);
    const sums = tape.temporary("gradient sums", [groups, channels, 2]);
    const gamma_gradient = tape.temporary("gamma gradient", [channels]);
    const beta_gradient = tape.temporary("beta gradient", [channels]);
    const saved = { x, statistics, gamma, beta, gradient };
    tape.launch(sumsShader, { ...saved, partial }, { ...chunked, RELU }, grid);
    const parameterGradients = { partial, sums, gamma_gradient, beta_gradient };
    tape.launch(parameterGradientsShader, parameterGradients, { ...shape, CHUNKS: chunks }, perChannel);
    if (!wanted[0]) return [undefined, gamma_gradient, beta_gradient];
    const input_gradient = tape.temporary("batch-norm gradient", x.shape);
    const flags = { RELU, TRAINING: training ? 1 : 0 };
    tape.launch(inputGradientShader, { ...saved, sums, input_gradient }, { ...chunked, ...flags }, grid);
    return [input_gradient, gamma_gradient, beta_gradient];
  };
  return { output, backward };
}

function checkShapes(x: Tensor, options: BatchNormOptions, groups: number): number {
  const channels = x.shape[x.shape.length - 1];
  if (x.shape.length < 2) throw new ShapeError("batchNorm", `x is ${describe(x.shape)}; expected [B, ..., C].`);
  const { gamma, beta, moving, training = true } = options;
  const perChannel = { gamma, beta, "moving mean": moving?.mean, "moving variance": moving?.variance };
  for (const [name, t] of Object.entries(perChannel)) {
    if (t && t.size !== channels) {
      throw new ShapeError(
        "batchNorm",
        `${name} is ${describe(t.shape)}; expected [${channels}], the last axis of x ${describe(x.shape)}.`,
      );
    }
  }
  if (!training && !moving) throw new ShapeError("batchNorm", "training: false needs the moving averages.");
  if (!Number.isInteger(groups) || groups < 1 || x.shape[0] % groups !== 0) {
    throw new ShapeError("batchNorm", `the batch of x ${describe(x.shape)} does not divide into ${groups} groups.`);
  }
  return channels;
}
