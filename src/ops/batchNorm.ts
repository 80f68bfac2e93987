import forwardShader from "../../shaders/batchNorm.forward.wgsl";
import inferenceShader from "../../shaders/batchNorm.inference.wgsl";
import inputGradientShader from "../../shaders/batchNorm.inputGradient.wgsl";
import momentsShader from "../../shaders/batchNorm.moments.wgsl";
import movingShader from "../../shaders/batchNorm.moving.wgsl";
import parameterGradientsShader from "../../shaders/batchNorm.parameterGradients.wgsl";
import statisticsShader from "../../shaders/batchNorm.statistics.wgsl";
import sumsShader from "../../shaders/batchNorm.sums.wgsl";
import { ShapeError } from "../errors.ts";
import { checkOptions, type Known } from "../options.ts";
import { type Node, type Operation, withGradient } from "../tape/graph.ts";
import type { Lowering } from "../tape/lower.ts";
import { threads } from "../tape/lowering/grid.ts";
import { tapeOf } from "../tape/tape.ts";
import { describe, type Tensor } from "../tape/tensor.ts";
import { blockRules } from "./fused/blockRules.ts";
import { defaultEpsilon, defaultMomentum, type Normalization } from "./fused/blockShape.ts";

/** Options of `batchNorm`. */
export interface BatchNormOptions {
  /** [C]. */
  readonly gamma: Tensor;
  /** [C]. */
  readonly beta: Tensor;
  /** Added to the variance. @default 1e-3 */
  readonly epsilon?: number;
  /** The batch is split into this many equal parts with separate statistics: 2 for two branches in one stack. */
  readonly groups?: number;
  /**
   * Moving averages. Training updates them once per group, inference uses them: moving = m moving + (1 - m) batch's.
   */
  readonly moving?: { readonly mean: Tensor; readonly variance: Tensor; readonly momentum?: number };
  /** Whether to use the batch's statistics (default) or the moving averages. */
  readonly training?: boolean;
  /** max(0, .) of the result, in the same pass. */
  readonly activation?: "relu";
}

const batchNormOptions: Known<BatchNormOptions> = {
  gamma: 1,
  beta: 1,
  epsilon: "finite number",
  groups: 1,
  moving: 1,
  training: 1,
  activation: 1,
};

/**
 * gamma (x - mean) / sqrt(variance + epsilon) + beta over all axes but the last (Ioffe and Szegedy 2015), with the
 * population variance. x is [B, ..., C]; the result has its shape.
 *
 * In training the mean has more digits than a float32, so a large |mean| / deviation loses no accuracy. The moving
 * averages are float32, so inference has an error of up to 6e-8 |mean| / deviation.
 * @param x - [B, ..., C].
 * @returns The shape of `x`.
 * @throws SHAPE where gamma, beta or the moving averages are not [C].
 * @example
 * ```ts
 * const [gamma, beta] = [tape.parameter("gamma", [8], { initial: 1 }), tape.parameter("beta", [8], { initial: 0 })];
 * const y = batchNorm(tape.input("x", [4, 28, 28, 8]), { gamma, beta });
 * ```
 */
export const batchNorm = (x: Tensor, options: BatchNormOptions): Tensor => recordBatchNorm(differentiable, x, options);

/** The same with moving averages only and without the chain rule, for inference. */
export const plainBatchNorm: typeof batchNorm = (x, options) => recordBatchNorm(batchNormOperation, x, options);

function recordBatchNorm(operation: Operation<Normalization>, x: Tensor, options: BatchNormOptions): Tensor {
  checkOptions("batchNorm", options, batchNormOptions);
  const { gamma, beta, moving, training = true, epsilon = defaultEpsilon, activation } = options;
  const tape = tapeOf("batchNorm", x, gamma, beta, moving?.mean, moving?.variance);
  const groups = training ? (options.groups ?? 1) : 1;
  const channels = checkShapes(x, options, groups);
  const momentum = moving?.momentum ?? defaultMomentum;
  const inputs = [x, gamma, beta, ...(moving ? [moving.mean, moving.variance] : [])];
  const outputs = [{ shape: x.shape }, { shape: [4, groups, channels], name: "statistics" }];
  return tape.recordAll(operation, inputs, { epsilon, momentum, groups, training, activation }, outputs)[0];
}

/** Splits rows into about as many chunks as there are rows in a chunk, so that both passes of a sum stay short. */
function gridOf(x: Tensor, { groups, activation }: Normalization) {
  const channels = x.shape[x.shape.length - 1];
  const rows = x.size / channels / groups;
  const chunk = Math.max(16, Math.ceil(Math.sqrt(rows)));
  const chunks = Math.ceil(rows / chunk);
  const { groups: grid, constants } = threads(channels * chunks * groups);
  const split = { CHANNELS: channels, GROUPS: groups, ROWS: rows, CHUNK: chunk, CHUNKS: chunks };
  const RELU = activation === "relu" ? 1 : 0;
  return { channels, chunks, grid, split, ROW: constants.ROW, RELU, perChannel: [Math.ceil(channels / 64)] as const };
}

export const batchNormOperation: Operation<Normalization> = {
  name: "batchNorm",
  lower(node, to) {
    const [, , , moving_mean, moving_variance] = node.inputs;
    const { channels, perChannel } = gridOf(node.inputs[0], node.options);
    const constants = { CHANNELS: channels, EPSILON: node.options.epsilon };
    const statistics = node.outputs[1];
    to.launch(inferenceShader, { moving_mean, moving_variance, statistics }, constants, perChannel);
    launchNormalized(node, to);
  },
};

/** Launches the output, after the statistics. */
function launchNormalized({ inputs: [x, gamma, beta], outputs, options }: Node<Normalization>, to: Lowering): void {
  const { grid, split, ROW, RELU } = gridOf(x, options);
  const [output, statistics] = outputs;
  to.launch(forwardShader, { x, statistics, gamma, beta, output }, { ...split, ROW, RELU }, grid);
}

const differentiable = /* @__PURE__ */ withGradient(batchNormOperation, {
  rules: blockRules,
  lasting: ({ inputs, options }) => options.training && inputs.length > 3,
  gradient({ inputs: [x, gamma, beta], outputs: [, statistics], options }, gradient, wanted) {
    const outputs = [x, gamma, beta].map(({ shape }) => ({ shape }));
    const inputs = [x, statistics, gamma, beta, gradient];
    return gradient.tape.recordAll(gradientOperation, inputs, { ...options, wantsInput: wanted[0] }, outputs);
  },
  lower(node, to) {
    const { inputs, outputs, options } = node;
    const { epsilon: EPSILON, momentum: MOMENTUM, groups } = options;
    if (!options.training) return batchNormOperation.lower(node, to);
    const [x, , , moving_mean, moving_variance] = inputs;
    const [, statistics] = outputs;
    const { channels, chunks, grid, split, ROW, perChannel } = gridOf(x, options);
    const partial = to.temporary("moments", [groups, chunks, channels, 2]);
    to.launch(momentsShader, { x, partial }, { ...split, ROW }, grid);
    const cells = [Math.ceil((groups * channels) / 64)] as const;
    to.launch(statisticsShader, { x, partial, statistics }, { ...split, EPSILON }, cells);
    if (moving_mean) {
      const shape = { CHANNELS: channels, GROUPS: groups };
      to.launch(movingShader, { statistics, moving_mean, moving_variance }, { ...shape, MOMENTUM }, perChannel);
    }
    return launchNormalized(node, to);
  },
});

const gradientOperation: Operation<Normalization & { readonly wantsInput: boolean }> = {
  name: "batchNorm gradient",
  lower({ inputs, outputs: [input_gradient, gamma_gradient, beta_gradient], options }, to) {
    const [x, statistics, gamma, beta, gradient] = inputs;
    const { groups, training, wantsInput } = options;
    const { channels, chunks, grid, split, ROW, RELU, perChannel } = gridOf(x, options);
    const partial = to.temporary("gradient sums", [groups, chunks, channels, 2]);
    const sums = to.temporary("gradient sums", [groups, channels, 2]);
    const saved = { x, statistics, gamma, beta, gradient };
    to.launch(sumsShader, { ...saved, partial }, { ...split, ROW, RELU }, grid);
    const shape = { CHANNELS: channels, GROUPS: groups, CHUNKS: chunks };
    to.launch(parameterGradientsShader, { partial, sums, gamma_gradient, beta_gradient }, shape, perChannel);
    if (!wantsInput) return;
    const flags = { RELU, TRAINING: training ? 1 : 0 };
    to.launch(inputGradientShader, { ...saved, sums, input_gradient }, { ...split, ROW, ...flags }, grid);
  },
};

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
  if (!training && !moving)
    throw new ShapeError("batchNorm", "moving is missing; training: false requires the moving averages.");
  if (!Number.isInteger(groups) || groups < 1 || x.shape[0] % groups !== 0) {
    throw new ShapeError("batchNorm", `the batch of x ${describe(x.shape)} does not divide into ${groups} groups.`);
  }
  return channels;
}
