// Batch-norm and ReLU that are applied when their result is read: the statistics, the two backward sums, and the copy
// for readers that cannot apply them.
import affineShader from "../../../shaders/batchNorm.affine.wgsl";
import applyShader from "../../../shaders/batchNorm.apply.wgsl";
import coefficientsShader from "../../../shaders/batchNorm.coefficients.wgsl";
import gradientSumsShader from "../../../shaders/batchNorm.gradientSums.wgsl";
import movingAffineShader from "../../../shaders/batchNorm.movingAffine.wgsl";
import subgroupsShader from "../../../shaders/gpu/batchNorm.coefficients.subgroups.wgsl";
import widenShader from "../../../shaders/widen.forward.wgsl";
import type { Form, Lowering } from "../../tape/lower.ts";
import { choose, keyOf } from "../../tape/lowering/choose.ts";
import { threads } from "../../tape/lowering/grid.ts";
import { Storage } from "../../tape/lowering/storage.ts";
import type { Tensor } from "../../tape/tensor.ts";
import { hasSubgroups } from "../kernels/matrixTiles.ts";
import { type Arriving, type BlockShape, type Norm, runsOf, type Source, slicesOf } from "./blockShape.ts";

/** A block's stored output: pooled values, to be normalized when read. */
export const normalizedWhenRead: Form<{ readonly shape: BlockShape; readonly source: Source }> = {
  name: "normalized when read",
  written(to, tensor, { shape, source }) {
    const output = new Storage("temporary", tensor.name, tensor.size, "f32");
    launchApply(to, shape, source, output);
    return output;
  },
};

/** The stored gradient of a block's output: in parts, optionally in half precision, optionally with its sums. */
export const gradientInParts: Form<Arriving> = {
  name: "gradient in parts",
  written(to, tensor, leaving) {
    const { storages, dtype } = leaving.parts;
    if (storages.length === 1 && dtype === "f32") return storages[0];
    const output = new Storage("temporary", tensor.name, tensor.size, "f32");
    launchWiden(to, tensor.size / tensor.shape[0], leaving, output);
    return output;
  },
};

/** Writes the parts, with `elements` per image, as one float32 array. */
export function launchWiden(to: Lowering, elements: number, { parts, scale }: Arriving, output: Storage): void {
  parts.storages.forEach((x, i) => {
    const size = x.dtype === "f16" ? 2 : 4;
    const { groups, constants } = threads(x.bytes / size / 2);
    const sizes = { OFFSET: (i * parts.images * elements) / 2, FACTOR: 1 / scale, HALF: x.dtype === "f16" ? 1 : 0 };
    to.launch(widenShader, { x, output }, { ...constants, ...sizes }, groups);
  });
}

/** The inputs of a block's normalization: [C] each, the averages optional. */
export interface NormTensors {
  readonly gamma: Tensor;
  readonly beta: Tensor;
  readonly mean?: Tensor;
  readonly variance?: Tensor;
}

const pixelsOf = ({ pooledY, pooledX }: BlockShape) => pooledY * pooledX;
/** Threads that sum the parts of one channel: on software adapters a barrier costs more than the parts. */
const joining = (to: Lowering) => (to.device.adapter.software ? 1 : 64);
const groupsOf = ({ images, group }: BlockShape) => images / group;

/**
 * [groups, 4, filters] of mean, scale, beta and 1 / deviation, then [groups, filters] of the mean's remainder, from
 * moments in `runs` parts of each image.
 */
export function launchAffine(
  to: Lowering,
  shape: BlockShape,
  { partial, runs }: { partial: Storage; runs: number },
  { gamma, beta, mean, variance }: NormTensors,
  { epsilon: EPSILON, momentum: MOMENTUM }: { readonly epsilon: number; readonly momentum: number },
): Storage {
  const { filters, group } = shape;
  const affine = new Storage("temporary", "statistics", groupsOf(shape) * 5 * filters, "f32");
  const unmoved = () => to.temporary("no averages", [4]);
  const moves = mean !== undefined && variance !== undefined && !to.frozen;
  const averages = moves
    ? { moving_mean: mean, moving_variance: variance }
    : { moving_mean: unmoved(), moving_variance: unmoved() };
  const sizes = { CHANNELS: filters / 4, PARTS: group * runs, GROUPS: groupsOf(shape) };
  to.launch(
    affineShader,
    { partial, gamma, beta, affine, ...averages },
    { ...sizes, EPSILON, MOVING: moves ? 1 : 0, MOMENTUM },
    [filters / 4],
    { WORKGROUP: joining(to) },
  );
  return affine;
}

/** The same from the moving averages. */
export function launchMovingAffine(
  to: Lowering,
  filters: number,
  { gamma, beta, mean, variance }: NormTensors,
  EPSILON: number,
): Storage {
  const affine = new Storage("temporary", "statistics", 5 * filters, "f32");
  const bindings = { moving_mean: mean!, moving_variance: variance!, gamma, beta, affine };
  to.launch(movingAffineShader, bindings, { CHANNELS: filters, EPSILON }, [Math.ceil(filters / 64)]);
  return affine;
}

/** Writes a block's normalized output, for readers that need it in float32 and in one buffer. */
export function launchApply(to: Lowering, shape: BlockShape, source: Source, output: Storage): void {
  const CHANNELS = shape.filters / 4;
  for (const slice of slicesOf(shape.images, source.images)) {
    const { storage: x } = source.at(slice);
    const { groups, constants } = threads(slice.images * pixelsOf(shape) * CHANNELS);
    const flags = { RELU: source.relu ? 1 : 0, HALF: source.dtype === "f16" ? 1 : 0 };
    const sizes = { CHANNELS, PIXELS: pixelsOf(shape), FIRST: slice.first, GROUP: shape.group };
    to.launch(applyShader, { x, affine: source.affine!, output }, { ...constants, ...sizes, ...flags }, groups);
  }
}

/** The sums of the backward pass, for a gradient that has none yet. */
export function launchGradientSums(
  to: Lowering,
  shape: BlockShape,
  source: Source,
  arriving: Arriving,
): { partial: Storage; runs: number } {
  const { images, filters, group } = shape;
  const CHANNELS = filters / 4;
  const { RUN, RUNS } = runsOf(to, images, CHANNELS, pixelsOf(shape));
  const partial = new Storage("temporary", "gradient sums", images * RUNS * 2 * filters, "f32");
  for (const slice of slicesOf(images, Math.min(source.images, arriving.parts.images))) {
    const x = source.at(slice, "again");
    const gradient = arriving.parts.at(slice.first);
    const { groups, constants } = threads(slice.images * RUNS * CHANNELS);
    to.launch(
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

/**
 * From the sums: the coefficients of the input gradient, and the gradients of gamma, beta and the convolution's bias.
 */
export function launchCoefficients(
  to: Lowering,
  shape: BlockShape,
  affine: Storage,
  { partial, runs }: { partial: Storage; runs: number },
  training: boolean,
): { norm: Norm; gamma: Tensor; beta: Tensor; bias: Tensor } {
  const { filters, group } = shape;
  const coefficients = new Storage("temporary", "gradient coefficients", groupsOf(shape) * 2 * filters, "f32");
  const [gamma, beta, bias] = ["gamma", "beta", "bias"].map((name) => to.temporary(`${name} gradient`, [filters]));
  const bindings = { partial, affine, coefficients, gamma_gradient: gamma, beta_gradient: beta, bias_gradient: bias };
  const PARTS = group * runs;
  const sizes = { CHANNELS: filters / 4, PARTS, GROUPS: groupsOf(shape), N: group * pixelsOf(shape) };
  const constants = { ...sizes, TRAINING: training ? 1 : 0 };
  const tree = () => to.launch(coefficientsShader, bindings, constants, [filters / 4], { WORKGROUP: joining(to) });
  if (hasSubgroups(to)) {
    const key = keyOf("batchNorm.coefficients", { channels: filters, parts: PARTS, groups: groupsOf(shape) });
    choose<unknown>(to, key, {
      subgroups: { preferred: false, launch: () => to.launch(subgroupsShader, bindings, constants, [filters / 4]) },
      tree: { portable: true, launch: tree },
    });
  } else tree();
  return { norm: { affine, coefficients }, gamma, beta, bias };
}

/** The sums that a kernel computes while it writes the gradient of `source`, tile by tile. */
export function sumsFor(to: Lowering, images: number, channels: number, tiles: number): NonNullable<Arriving["sums"]> {
  const { RUNS } = runsOf(to, images, channels / 4, tiles);
  return { partial: new Storage("temporary", "gradient sums", images * RUNS * 2 * channels, "f32"), runs: RUNS };
}
