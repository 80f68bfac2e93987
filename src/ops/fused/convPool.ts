// A block's convolution with its max-pool by the direct algorithm: every multiply-add of the formula, with the
// convolution's output and its gradient in registers.

import filterGradientShader from "../../../shaders/conv2d.pool.filterGradient.wgsl";
import inputGradientShader from "../../../shaders/conv2d.pool.inputGradient.wgsl";
import forwardShader from "../../../shaders/conv2d.pool.wgsl";
import sharedFilterGradientShader from "../../../shaders/gpu/conv2d.pool.filterGradient.shared.wgsl";
import sharedInputGradientShader from "../../../shaders/gpu/conv2d.pool.inputGradient.shared.wgsl";
import sharedForwardShader from "../../../shaders/gpu/conv2d.pool.shared.wgsl";
import type { Lowering } from "../../tape/lower.ts";
import { threads } from "../../tape/lowering/grid.ts";
import type { Place } from "../../tape/lowering/parts.ts";
import type { Tensor } from "../../tape/tensor.ts";
import { columnSum } from "../kernels/columnSum.ts";
import { launchFlipFilter } from "../kernels/flipFilter.ts";
import {
  type Arriving,
  type BlockShape,
  cellsOf,
  extents,
  type Norm,
  type Pooled,
  runsOf,
  type Slice,
  type Source,
  type Written,
  writtenBy,
} from "./blockShape.ts";

const formats = { f32: 0, f16: 1, u8: 2 };

const inputOf = ({ height, width, channels, group }: BlockShape, source: Source) => ({
  HEIGHT: height,
  WIDTH: width,
  CHANNELS: channels,
  GROUP: group,
  NORMALIZED: source.affine ? 1 : 0,
  FORMAT: formats[source.dtype],
});

/**
 * `shared`, for GPUs, loads what several threads read through workgroup memory. `tiled` has no barriers, which are
 * expensive on adapters without such memory.
 */
export type Form = "shared" | "tiled";

/** For a workgroup of 64 threads: its threads over vec4s of channels, and the input channels copied at a time. */
const sharedTile = (lanes: number, channels: number) => ({
  LANES: lanes > 8 ? 16 : lanes > 4 ? 8 : 4,
  CHUNK: Math.min(8, channels),
});

export function launchConvPool(
  to: Lowering,
  shape: BlockShape,
  slice: Slice,
  source: Source,
  tensors: { x: Place; filter: Tensor } & Written,
  runs: { RUN: number; RUNS: number },
  form: Form,
): undefined {
  const { x, filter } = tensors;
  const written = writtenBy(to, shape, slice, filter, tensors);
  const bindings = { x: x.storage, affine: source.affine ?? filter, filter_: filter, ...written.bindings };
  const constants = {
    ...inputOf(shape, source),
    ...extents(shape),
    ...runs,
    RELU: source.relu ? 1 : 0,
    FIRST_IN: x.first,
    ...written.constants,
  };
  const lanes = shape.filters / 4;
  if (form === "shared") {
    const tile = sharedTile(lanes, shape.channels);
    const grid = [Math.ceil(lanes / tile.LANES), Math.ceil((runs.RUNS * tile.LANES) / 64), slice.images] as const;
    to.launch(sharedForwardShader, bindings, constants, grid, tile);
  } else {
    const { groups, constants: grid } = threads(slice.images * runs.RUNS * lanes);
    const lengths = { X_LENGTH: x.storage.bytes / 4, FILTER_LENGTH: filter.size / 4 };
    to.launch(forwardShader, bindings, { ...constants, ...grid }, groups, lengths);
  }
}

/**
 * Parts of a filter gradient per image: 64 in all need one more launch to sum; GPUs need more parts, and a second
 * level.
 */
function fewParts(to: Lowering, { channels, filters }: BlockShape, { images }: Slice): number {
  const most = to.device.adapter.software ? 64 : 1024;
  const held = to.device.gpu.limits.maxStorageBufferBindingSize / (4 * 9 * channels * filters);
  return Math.max(1, Math.floor(Math.min(most, held) / images));
}

/** d loss / d filter of one slice, [3, 3, channels, filters]. */
export function launchConvPoolFilterGradient(
  to: Lowering,
  shape: BlockShape,
  slice: Slice,
  source: Source,
  tensors: { x: Place; pooled: Pooled; arriving: Arriving; norm: Norm },
  form: Form,
): Tensor {
  const { x, pooled, arriving, norm } = tensors;
  const { channels, filters } = shape;
  const gradient = arriving.parts.at(slice.first);
  const runs = runsOf(to, slice.images, channels * (filters / 4), cellsOf(shape), fewParts(to, shape, slice));
  const parts = slice.images * runs.RUNS;
  const partial = to.temporary("filter gradient", [parts, 3, 3, channels, filters]);
  const bindings = {
    x: x.storage,
    input_affine: source.affine ?? norm.affine,
    gradient: gradient.storage,
    partial,
    pooled: pooled.values.storage,
    argmax: pooled.argmax.storage,
    ...norm,
  };
  const constants = {
    ...inputOf(shape, source),
    ...extents(shape),
    ...runs,
    FIRST_IN: x.first,
    FIRST_POOLED: pooled.values.first,
    FIRST_GRADIENT: gradient.first,
    FIRST: slice.first,
    RELU: shape.relu ? 1 : 0,
    INPUT_RELU: source.relu ? 1 : 0,
    HALF: pooled.half ? 1 : 0,
    HALF_GRADIENT: arriving.parts.dtype === "f16" ? 1 : 0,
    UNSCALE: 1 / arriving.scale,
  };
  if (form === "shared") {
    const LANES = filters > 32 ? 64 : filters > 16 ? 32 : 16;
    const sets = Math.ceil(channels / 4);
    const grid = [Math.ceil(filters / LANES), Math.ceil((sets * LANES) / 64), parts] as const;
    to.launch(sharedFilterGradientShader, bindings, constants, grid, { LANES });
  } else {
    const { groups, constants: grid } = threads((parts * channels * filters) / 4);
    const lengths = {
      X_LENGTH: x.storage.bytes / 4,
      POOLED_LENGTH: pooled.values.storage.bytes / 8,
      GRADIENT_LENGTH: gradient.storage.bytes / 8,
    };
    to.launch(filterGradientShader, bindings, { ...constants, ...grid }, groups, lengths);
  }
  return columnSum(to, "filter gradient", partial, parts, [3, 3, channels, filters]);
}

/** d loss / d x of one slice. */
export function launchConvPoolInputGradient(
  to: Lowering,
  shape: BlockShape,
  slice: Slice,
  tensors: { filter: Tensor; pooled: Pooled; arriving: Arriving; norm: Norm; leaving: Arriving },
  form: Form,
): void {
  const { filter, pooled, arriving, norm, leaving } = tensors;
  const { height, width, channels, filters, group } = shape;
  const gradient = arriving.parts.at(slice.first);
  const output = leaving.parts.at(slice.first);
  const bindings = {
    gradient: gradient.storage,
    input_gradient: output.storage,
    pooled: pooled.values.storage,
    argmax: pooled.argmax.storage,
    ...norm,
  };
  const constants = {
    ...extents(shape),
    FILTERS: filters,
    CHANNELS: channels / 4,
    GROUP: group,
    HEIGHT: height,
    WIDTH: width,
    RELU: shape.relu ? 1 : 0,
    HALF: pooled.half ? 1 : 0,
    FIRST_OUT: output.first,
    FIRST_POOLED: pooled.values.first,
    FIRST_GRADIENT: gradient.first,
    FIRST: slice.first,
    HALF_GRADIENT: arriving.parts.dtype === "f16" ? 1 : 0,
    UNSCALE: 1 / arriving.scale,
    HALF_OUTPUT: leaving.parts.dtype === "f16" ? 1 : 0,
    SCALE: leaving.scale,
  };
  if (form === "shared") {
    const flipped = launchFlipFilter(to, filter);
    const tile = sharedTile(channels / 4, filters);
    const tiles = Math.ceil(height / 2) * Math.ceil(width / 4);
    const grid = [Math.ceil(channels / 4 / tile.LANES), Math.ceil((tiles * tile.LANES) / 64), slice.images] as const;
    to.launch(sharedInputGradientShader, { ...bindings, flipped }, constants, grid, tile);
  } else {
    const runs = runsOf(to, slice.images, channels / 4, Math.ceil(height / 4) * Math.ceil(width / 4));
    const { groups, constants: grid } = threads((slice.images * runs.RUNS * channels) / 4);
    to.launch(inputGradientShader, { ...bindings, filter_: filter }, { ...constants, ...runs, ...grid }, groups);
  }
}
