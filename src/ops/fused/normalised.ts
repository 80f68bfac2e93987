// Batch-norm and ReLU that are applied where their result is read: its statistics, its two backward sums, and the copy
// that is made for readers who cannot do it themselves.
import affineShader from "../../../shaders/batchNorm.affine.wgsl";
import applyShader from "../../../shaders/batchNorm.apply.wgsl";
import coefficientsShader from "../../../shaders/batchNorm.coefficients.wgsl";
import gradientSumsShader from "../../../shaders/batchNorm.gradientSums.wgsl";
import movingAffineShader from "../../../shaders/batchNorm.movingAffine.wgsl";
import { threads } from "../../tape/grid.ts";
import type { Tape } from "../../tape/tape.ts";
import { Storage, type Tensor } from "../../tape/tensor.ts";
import { type BatchNormOptions, defaultEpsilon, defaultMomentum } from "./batchNormOptions.ts";
import { type Arriving, type BlockShape, type Norm, runsOf, type Source, slicesOf } from "./blockShape.ts";

/** How a block's output is read without being stored. */
export const normalised = new WeakMap<Tensor, Source>();

/** A gradient that lies in parts, or in half precision, or whose sums have been taken already. */
export const arrivals = new WeakMap<Tensor, Arriving>();

const pixelsOf = ({ pooledY, pooledX }: BlockShape) => pooledY * pooledX;
/** Threads that join the parts of one channel: software adapters pay more for a barrier than for the parts. */
const joining = (tape: Tape) => (tape.device.adapter.software ? 1 : 64);
const groupsOf = ({ images, group }: BlockShape) => images / group;

/** [groups, 4, filters] of mean, scale, beta and 1 / deviation, from moments in `runs` parts of each image. */
export function launchAffine(
  tape: Tape,
  shape: BlockShape,
  { partial, runs }: { partial: Storage; runs: number },
  { gamma, beta, epsilon: EPSILON = defaultEpsilon, moving }: BatchNormOptions,
): Storage {
  const { filters, group } = shape;
  const affine = new Storage("temporary", "statistics", groupsOf(shape) * 4 * filters, "f32");
  const unmoved = () => tape.temporary("no averages", [4]);
  tape.launch(
    affineShader,
    {
      partial,
      gamma,
      beta,
      affine,
      moving_mean: moving?.mean ?? unmoved(),
      moving_variance: moving?.variance ?? unmoved(),
    },
    {
      CHANNELS: filters / 4,
      PARTS: group * runs,
      GROUPS: groupsOf(shape),
      EPSILON,
      MOVING: moving ? 1 : 0,
      MOMENTUM: moving?.momentum ?? defaultMomentum,
    },
    [filters / 4],
    { WORKGROUP: joining(tape) },
  );
  return affine;
}

/** The same from the moving averages. */
export function launchMovingAffine(tape: Tape, filters: number, options: BatchNormOptions): Storage {
  const { gamma, beta, epsilon: EPSILON = defaultEpsilon, moving } = options;
  const affine = new Storage("temporary", "statistics", 4 * filters, "f32");
  const averages = { moving_mean: moving!.mean, moving_variance: moving!.variance };
  const bindings = { ...averages, gamma, beta, affine };
  tape.launch(movingAffineShader, bindings, { CHANNELS: filters, EPSILON }, [Math.ceil(filters / 64)]);
  return affine;
}

/** Writes what a block's output stands for, for readers that need it in float32 and whole. */
export function launchApply(tape: Tape, shape: BlockShape, source: Source, output: Storage): void {
  const CHANNELS = shape.filters / 4;
  for (const slice of slicesOf(shape.images, source.images)) {
    const { storage: x } = source.at(slice);
    const { groups, constants } = threads(slice.images * pixelsOf(shape) * CHANNELS);
    const flags = { RELU: source.relu ? 1 : 0, HALF: source.dtype === "f16" ? 1 : 0 };
    const sizes = { CHANNELS, PIXELS: pixelsOf(shape), FIRST: slice.first, GROUP: shape.group };
    tape.launch(applyShader, { x, affine: source.affine!, output }, { ...constants, ...sizes, ...flags }, groups);
  }
}

/** The sums of the backward pass over a gradient that came without them. */
export function launchGradientSums(
  tape: Tape,
  shape: BlockShape,
  source: Source,
  arriving: Arriving,
): { partial: Storage; runs: number } {
  const { images, filters, group } = shape;
  const CHANNELS = filters / 4;
  const { RUN, RUNS } = runsOf(tape, images, CHANNELS, pixelsOf(shape));
  const partial = new Storage("temporary", "gradient sums", images * RUNS * 2 * filters, "f32");
  for (const slice of slicesOf(images, Math.min(source.images, arriving.parts.images))) {
    const x = source.at(slice, "again");
    const gradient = arriving.parts.at(slice.first);
    const { groups, constants } = threads(slice.images * RUNS * CHANNELS);
    tape.launch(
      gradientSumsShader,
      { x: x.storage, affine: source.affine!, gradient: gradient.storage, partial },
      {
        ...constants,
        CHANNELS,
        PIXELS: pixelsOf(shape),
        RUN,
        RUNS,
        GROUP: group,
        FIRST_IN: x.first,
        FIRST_GRADIENT: gradient.first,
        FIRST: slice.first,
        RELU: shape.relu ? 1 : 0,
        HALF: source.dtype === "f16" ? 1 : 0,
        HALF_GRADIENT: arriving.parts.dtype === "f16" ? 1 : 0,
        UNSCALE: 1 / arriving.scale,
      },
      groups,
    );
  }
  return { partial, runs: RUNS };
}

/** From the sums, what the input gradient needs, and the gradients of gamma, beta and the convolution's bias. */
export function launchCoefficients(
  tape: Tape,
  shape: BlockShape,
  affine: Storage,
  { partial, runs }: { partial: Storage; runs: number },
  training: boolean,
): { norm: Norm; gamma: Tensor; beta: Tensor; bias: Tensor } {
  const { filters, group } = shape;
  const coefficients = new Storage("temporary", "gradient coefficients", groupsOf(shape) * 2 * filters, "f32");
  const [gamma, beta, bias] = ["gamma", "beta", "bias"].map((name) => tape.temporary(`${name} gradient`, [filters]));
  tape.launch(
    coefficientsShader,
    { partial, affine, coefficients, gamma_gradient: gamma, beta_gradient: beta, bias_gradient: bias },
    {
      CHANNELS: filters / 4,
      PARTS: group * runs,
      GROUPS: groupsOf(shape),
      N: group * pixelsOf(shape),
      TRAINING: training ? 1 : 0,
    },
    [filters / 4],
    { WORKGROUP: joining(tape) },
  );
  return { norm: { affine, coefficients }, gamma, beta, bias };
}

/** Runs of the sums that a kernel takes while it writes the gradient of `source`, tile by tile. */
export function sumsFor(tape: Tape, images: number, channels: number, tiles: number): NonNullable<Arriving["sums"]> {
  const { RUNS } = runsOf(tape, images, channels / 4, tiles);
  return { partial: new Storage("temporary", "gradient sums", images * RUNS * 2 * channels, "f32"), runs: RUNS };
}
