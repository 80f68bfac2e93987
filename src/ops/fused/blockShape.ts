// Shared by the kernels of a fused block (see block.ts): its extents, ranges of its batch, and how its input is read.

import type { Lowering } from "../../tape/lower.ts";
import type { Parts, Place } from "../../tape/lowering/parts.ts";
import type { Storage } from "../../tape/lowering/storage.ts";
import type { Tensor } from "../../tape/tensor.ts";

/** x is [images, height, width, channels], the pooled values [images, pooledY, pooledX, filters]. */
export interface BlockShape {
  readonly images: number;
  readonly height: number;
  readonly width: number;
  readonly channels: number;
  /** A multiple of 4. */
  readonly filters: number;
  readonly pooledY: number;
  readonly pooledX: number;
  /** Cells of 4 x 4 outputs of the convolution, that is 2 x 2 windows of the max-pool, in one image. */
  readonly cellsY: number;
  readonly cellsX: number;
  /** Number of consecutive images that share batch statistics. */
  readonly group: number;
  readonly relu: boolean;
}

/** For x and a filter [3, 3, channels, filters]. The max-pool drops an odd row and column. */
export function blockShape(
  [images, height, width]: readonly [number, number, number],
  [, , channels, filters]: readonly number[],
  options: Pick<BlockShape, "group" | "relu">,
): BlockShape {
  const [pooledY, pooledX] = [height >> 1, width >> 1];
  const [cellsY, cellsX] = [Math.ceil(pooledY / 2), Math.ceil(pooledX / 2)];
  return { images, height, width, channels, filters, pooledY, pooledX, cellsY, cellsX, ...options };
}

/** Options of a batch-norm, with their defaults. */
export interface Normalization {
  readonly epsilon: number;
  readonly momentum: number;
  readonly groups: number;
  readonly training: boolean;
  readonly activation?: "relu";
}

/** TensorFlow's default, and so the article's. */
export const defaultEpsilon = 1e-3;
export const defaultMomentum = 0.99;

/** Consecutive images of the batch. */
export interface Slice {
  readonly first: number;
  readonly images: number;
}

/** Splits the batch into slices of `each` images. */
export function slicesOf(images: number, each: number): Slice[] {
  return Array.from({ length: Math.ceil(images / each) }, (_, i) => ({
    first: i * each,
    images: Math.min(each, images - i * each),
  }));
}

/** A block's input: where a slice of it is stored, and how its values are transformed when read. */
export interface Source {
  /** `again`: in the backward pass, where values that were not stored are recomputed. */
  at(slice: Slice, again?: "again"): Place;
  /** The number of images that `at` can return at once. */
  readonly images: number;
  /** `u8`: bytes that stand for byte / 255. */
  readonly dtype: "f32" | "f16" | "u8";
  /** Batch-norm applied on reading: [groups, 4, channels] of mean, scale, beta and 1 / deviation. */
  readonly affine?: Storage;
  readonly relu: boolean;
}

/** A block's output before batch-norm, and the positions of the maxima in their windows, of the same image. */
export interface Pooled {
  readonly values: Place;
  readonly argmax: Place;
  readonly half: boolean;
}

/**
 * What the forward pass writes. In training: pooled values, and their moments if `partial` is given, [images of the
 * whole batch * RUNS, 4, filters]. In inference: the output itself, by `folded` of batchNorm.fold.
 */
export type Written =
  | { readonly bias?: Tensor; readonly pooled: Pooled; readonly partial?: Storage }
  | { readonly folded: Storage; readonly output: Place };

/** The same as bindings and constants. Unused bindings are the filter or a few bytes. */
export function writtenBy(
  to: Lowering,
  { relu }: BlockShape,
  { first: FIRST }: Slice,
  filter: Tensor,
  written: Written,
) {
  const none = (name: string) => to.storage(to.temporary(name, [4]));
  if ("folded" in written) {
    const { folded: bias, output } = written;
    return {
      bindings: { bias, pooled: output.storage, argmax: none("no places"), partial: none("no moments") },
      constants: { FIRST, FIRST_OUT: output.first, BIAS: 1, INFERENCE: 1, OUTPUT_RELU: relu ? 1 : 0 },
    };
  }
  const { bias, pooled, partial } = written;
  const { values, argmax, half } = pooled;
  return {
    bindings: {
      bias: bias ?? filter,
      pooled: values.storage,
      argmax: argmax.storage,
      partial: partial ?? none("no moments"),
    },
    constants: {
      FIRST,
      FIRST_OUT: values.first,
      BIAS: bias ? 1 : 0,
      STATISTICS: partial ? 1 : 0,
      HALF: half ? 1 : 0,
    },
  };
}

/** The gradient of a block's output, `scale` times too large where it is packed float16. */
export interface Arriving {
  readonly parts: Parts;
  readonly scale: number;
  /** Its sums of batchNorm.gradientSums, if the kernel that wrote it computed them, in `runs` parts per image. */
  readonly sums?: { readonly partial: Storage; readonly runs: number };
}

/** Batch statistics and the coefficients of batch-norm's backward pass. */
export interface Norm {
  readonly affine: Storage;
  readonly coefficients: Storage;
}

export const cellsOf = ({ cellsY, cellsX }: BlockShape) => cellsY * cellsX;

/** Constants for a block's extents, with output channels in vec4s. */
export const extents = ({ pooledY, pooledX, cellsY, cellsX, filters }: BlockShape) => ({
  POOLED_Y: pooledY,
  POOLED_X: pooledX,
  CELLS_Y: cellsY,
  CELLS_X: cellsX,
  FILTERS: filters / 4,
});

/** The number of threads that keep an adapter busy: a few for each CPU core, many for each GPU core. */
const busy = { software: 2048, gpu: 65536 };

/**
 * Splits the `units` of each image (cells, tiles, pixels) into runs, one per thread, with `lanes` threads side by side.
 * Few runs, because sums in a thread's registers need no further reduction; enough to keep the adapter busy; at most
 * `most`.
 */
export function runsOf(
  to: Lowering,
  images: number,
  lanes: number,
  units: number,
  most = units,
): { RUN: number; RUNS: number } {
  const threads = to.device.adapter.software ? busy.software : busy.gpu;
  // Each run writes up to four vec4s to one binding.
  const held = Math.floor(to.device.gpu.limits.maxStorageBufferBindingSize / (64 * images * lanes));
  const runs = Math.min(units, most, Math.max(1, held), Math.max(1, Math.ceil(threads / (images * lanes))));
  const RUN = Math.ceil(units / runs);
  return { RUN, RUNS: Math.ceil(units / RUN) };
}
