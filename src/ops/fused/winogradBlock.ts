// A block's convolution with its max-pool by Winograd's F(4x4, 3x3): see winograd.ts. The outputs of a cell are pooled
// in registers. Both gradients share the transformed output gradient; the input gradient uses the adjoint of its
// transform.
import inputGradientShader from "../../../shaders/winograd/winograd.inputGradient.wgsl";
import poolShader from "../../../shaders/winograd/winograd.pool.wgsl";
import pooledGradientShader from "../../../shaders/winograd/winograd.pooledGradient.wgsl";
import type { Lowering } from "../../tape/lower.ts";
import { threads } from "../../tape/lowering/grid.ts";
import type { Place } from "../../tape/lowering/parts.ts";
import type { Tensor } from "../../tape/tensor.ts";
import { launchProduct } from "../kernels/matrixProduct.ts";
import {
  type Cells,
  fitsChannels,
  launchFilterGradient,
  launchInput,
  prefersWinograd,
  productOf,
  transformFilter,
  transposedFilter,
} from "../kernels/winograd.ts";
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

/** The most bytes of transformed tensors at a time; larger batches are computed in slices. */
export const mostBytes = 128 * 2 ** 20;

export const fits = (shape: BlockShape, source: Source): boolean => source.dtype !== "u8" && fitsChannels(shape);

export const prefers = (to: Lowering, shape: BlockShape): boolean =>
  prefersWinograd(to, of(shape, { first: 0, images: shape.images }), 4 * shape.pooledY * shape.pooledX);

/** Bytes of an image's transformed input or output, whichever is larger. */
export const bytesOfImage = (shape: BlockShape) => 4 * 36 * cellsOf(shape) * Math.max(shape.channels, shape.filters);

const of = (shape: BlockShape, { images }: Slice): Cells => ({ ...shape, cells: images * cellsOf(shape) });

/** The transformed input of one slice, [36, cells, channels]. */
export function launchInputTransform(to: Lowering, shape: BlockShape, slice: Slice, source: Source, x: Place): Tensor {
  const { height, width, group } = shape;
  const { affine, relu, dtype } = source;
  return launchInput(to, of(shape, slice), x, {
    height,
    width,
    padY: 1,
    padX: 1,
    half: dtype === "f16",
    through: affine && { affine, relu, first: slice.first, group },
  });
}

/** d loss / d filter of one slice, [3, 3, channels, filters]. */
export const launchSliceFilterGradient = (
  to: Lowering,
  shape: BlockShape,
  slice: Slice,
  tensors: { x: Tensor; gradient: Tensor },
): Tensor => launchFilterGradient(to, of(shape, slice), tensors);

export function launchPool(
  to: Lowering,
  shape: BlockShape,
  slice: Slice,
  tensors: { transformed: Tensor; filter: Tensor } & Written,
  runs: { RUN: number; RUNS: number },
): void {
  const { transformed, filter } = tensors;
  const { channels, filters } = shape;
  const product = to.temporary("products", [36, slice.images * cellsOf(shape), filters]);
  const kernel = to.view(transformFilter(to, filter).forward, [36, channels, filters]);
  launchProduct(to, productOf(of(shape, slice)), { x: transformed, kernel, output: product });
  const { groups, constants } = threads(slice.images * runs.RUNS * (filters / 4));
  const written = writtenBy(to, shape, slice, filter, tensors);
  const sizes = { ...constants, ...extents(shape), ...runs };
  to.launch(poolShader, { product, ...written.bindings }, { ...sizes, ...written.constants }, groups);
}

/** The gradient of the products of one slice, [36, cells, filters]. */
export function launchOutputGradient(
  to: Lowering,
  shape: BlockShape,
  slice: Slice,
  tensors: { pooled: Pooled; arriving: Arriving; norm: Norm },
): Tensor {
  const { pooled, arriving, norm } = tensors;
  const gradient = arriving.parts.at(slice.first);
  const transformed = to.temporary("transformed gradient", [36, slice.images * cellsOf(shape), shape.filters]);
  const { groups, constants } = threads((slice.images * cellsOf(shape) * shape.filters) / 2);
  to.launch(
    pooledGradientShader,
    {
      pooled: pooled.values.storage,
      argmax: pooled.argmax.storage,
      gradient: gradient.storage,
      ...norm,
      transformed,
    },
    {
      ...constants,
      ...extents(shape),
      FILTERS: shape.filters / 2,
      GROUP: shape.group,
      RELU: shape.relu ? 1 : 0,
      FIRST_POOLED: pooled.values.first,
      FIRST_GRADIENT: gradient.first,
      FIRST: slice.first,
      HALF: pooled.half ? 1 : 0,
      HALF_GRADIENT: arriving.parts.dtype === "f16" ? 1 : 0,
      UNSCALE: 1 / arriving.scale,
    },
    groups,
  );
  return transformed;
}

/** d loss / d x of one slice, with its sums for the batch-norm that x was read through, if any. */
export function launchInputGradient(
  to: Lowering,
  shape: BlockShape,
  slice: Slice,
  source: Source,
  tensors: { x: Place; gradient: Tensor; filter: Tensor; leaving: Arriving },
): void {
  const { x, gradient, filter, leaving } = tensors;
  const { height, width, channels, filters, cellsY, cellsX, group } = shape;
  const kernel = to.view(transposedFilter(to, filter), [36, filters, channels]);
  const product = to.temporary("products", [36, slice.images * cellsOf(shape), channels]);
  const transposed = { ...productOf(of(shape, slice)), inputs: filters, outputs: channels };
  launchProduct(to, transposed, { x: gradient, kernel, output: product });

  const { sums } = leaving;
  const output = leaving.parts.at(slice.first);
  const tiles = Math.ceil(height / 4) * Math.ceil(width / 4);
  const RUNS = sums?.runs ?? runsOf(to, slice.images, channels / 4, tiles).RUNS;
  const { groups, constants } = threads((slice.images * RUNS * channels) / 4);
  to.launch(
    inputGradientShader,
    {
      product,
      x: sums ? x.storage : product,
      affine: source.affine ?? product,
      input_gradient: output.storage,
      partial: sums?.partial ?? to.temporary("no sums", [4]),
    },
    {
      ...constants,
      HEIGHT: height,
      WIDTH: width,
      CHANNELS: channels / 4,
      CELLS_Y: cellsY,
      CELLS_X: cellsX,
      IMAGES: slice.images,
      RUN: Math.ceil(tiles / RUNS),
      RUNS,
      GROUP: group,
      FIRST_IN: x.first,
      FIRST_OUT: output.first,
      FIRST: slice.first,
      SUMS: sums ? 1 : 0,
      RELU: source.relu ? 1 : 0,
      HALF: source.dtype === "f16" ? 1 : 0,
      HALF_GRADIENT: leaving.parts.dtype === "f16" ? 1 : 0,
      SCALE: leaving.scale,
    },
    groups,
  );
}
