// A block's convolution with its max-pool by Winograd's F(4x4, 3x3): a cell of 4 x 4 outputs from a patch of 6 x 6 inputs
// by 36 multiplications for each pair of channels instead of 144. The products of all cells are 36 matrix products; both
// gradients take the same way back, through the adjoints of the transforms, and share the transformed output gradient.
import filterShader from "../../shaders/winograd4.filter.wgsl";
import filterGradientShader from "../../shaders/winograd4.filterGradient.wgsl";
import inputShader from "../../shaders/winograd4.input.wgsl";
import inputGradientShader from "../../shaders/winograd4.inputGradient.wgsl";
import outputGradientShader from "../../shaders/winograd4.outputGradient.wgsl";
import poolShader from "../../shaders/winograd4.pool.wgsl";
import { threads } from "../tape/grid.ts";
import type { Place } from "../tape/parts.ts";
import type { Tape } from "../tape/tape.ts";
import { Storage, Tensor } from "../tape/tensor.ts";
import type { Slice, Source } from "./blockShape.ts";
import { type Arriving, type BlockShape, cellsOf, extents, type Norm, type Pooled, runsOf } from "./blockShape.ts";
import { launchKernelGradientParts, launchProduct, type Product } from "./product.ts";

/** Bytes that the transformed tensors of one slice may take; larger batches go slice by slice. */
export const mostBytes = 128 * 2 ** 20;

/** Operations for each byte of memory traffic that GPUs have (31 to 40: see docs/performance.md). */
const balance = 40;

/**
 * Whether Winograd can compute the block: whole vec4s of channels. Sums over more than 1024 of them would carry an error of
 * more than half of what correctness allows.
 */
export function fitsWinograd4({ channels, filters }: BlockShape, source: Source): boolean {
  return source.dtype !== "u8" && [channels, filters].every((n) => n % 4 === 0 && n >= 16 && n <= 1024);
}

/**
 * Whether it is the better choice by rule: on GPUs, where the channels are so many that the time saved on arithmetic is
 * more than that spent on moving the transformed tensors. On software adapters, whose data lie in caches, it wins even
 * where a 3 x 3 image fills a quarter of its cell: the direct kernels waste as much there.
 */
export function prefersWinograd4(tape: Tape, shape: BlockShape): boolean {
  const { channels, filters, pooledY, pooledX } = shape;
  // Operations of the direct algorithm for each byte that Winograd moves. A cell takes 288 channels * filters operations;
  // its 36 transformed values of each channel are written once and read once, 288 (channels + filters) bytes.
  const intensity = (channels * filters) / (channels + filters);
  const fill = (pooledY * pooledX) / (4 * cellsOf(shape));
  return tape.device.adapter.software || intensity * fill >= balance;
}

/** Bytes of an image's transformed input or output, whichever is larger. */
export const bytesOfImage = (shape: BlockShape) => 4 * 36 * cellsOf(shape) * Math.max(shape.channels, shape.filters);

const productOf = (shape: BlockShape, { images }: Slice): Product => ({
  ...{ batch: 36, rows: images * cellsOf(shape), inputs: shape.channels, outputs: shape.filters },
});

interface TransformedFilter {
  readonly filter: Storage;
  readonly channels: number;
  readonly filters: number;
  /** [36, channels, filters]. */
  readonly forward: Storage;
  /** [36, filters, channels]. */
  readonly backward: Storage;
}

const transformedFilters = new WeakMap<Tape, Map<Storage, TransformedFilter>>();

/** The transform of a filter: those of all convolutions that ask for theirs are made in one launch. */
export function transformFilter(tape: Tape, filter: Tensor): TransformedFilter {
  let known = transformedFilters.get(tape);
  if (!known) {
    known = new Map();
    transformedFilters.set(tape, known);
    tape.prologue.push(() => launchFilters(tape, [...transformedFilters.get(tape)!.values()]));
  }
  let found = known.get(filter.storage);
  if (!found) {
    const [, , channels, filters] = filter.shape;
    const make = (name: string) => new Storage("temporary", name, 36 * channels * filters, "f32");
    const [forward, backward] = [make("transformed filter"), make("transformed filter, turned")];
    found = { filter: filter.storage, channels, filters, forward, backward };
    known.set(filter.storage, found);
  }
  return found;
}

function launchFilters(tape: Tape, all: readonly TransformedFilter[]): void {
  const byBuffer = new Map<unknown, TransformedFilter[]>();
  for (const one of all) {
    const key = one.filter.external?.buffer ?? one.filter;
    byBuffer.set(key, [...(byBuffer.get(key) ?? []), one]);
  }
  for (const members of byBuffer.values()) {
    const table = new Uint32Array(members.length * 5);
    let first = 0;
    const total = members.reduce((n, { forward }) => n + forward.bytes / 4, 0);
    const whole = (name: string) => new Storage("temporary", name, total, "f32");
    const [forward, backward] = [whole("transformed filters"), whole("transformed filters, turned")];
    let end = 0;
    members.forEach((member, i) => {
      const { channels, filters } = member;
      const offset = 36 * first;
      table.set([first, (member.filter.external?.offset ?? 0) / 4, offset, channels, filters], 5 * i);
      member.forward.within = { whole: forward, offset: 4 * offset };
      member.backward.within = { whole: backward, offset: 4 * offset };
      first += channels * filters;
      end = Math.max(end, (member.filter.external?.offset ?? 0) + member.filter.bytes);
    });
    const { filter } = members[0];
    const filters = new Storage(filter.kind, filter.name, end / 4, "f32");
    if (filter.external) filters.external = { buffer: filter.external.buffer, offset: 0 };
    const words = tape.constant("filters' places", [table.length], new Float32Array(table.buffer));
    const { groups, constants } = threads(first);
    const bindings = { filters: filter.external ? filters : filter, table: words, forward, backward };
    tape.launch(filterShader, bindings, { ...constants, CONVOLUTIONS: members.length }, groups);
  }
}

/** The transformed input of one slice, [36, cells, channels]. */
export function launchInputTransform(tape: Tape, shape: BlockShape, slice: Slice, source: Source, x: Place): Tensor {
  const { height, width, channels, cellsY, cellsX, group } = shape;
  const cells = slice.images * cellsOf(shape);
  const transformed = tape.temporary("transformed input", [36, cells, channels]);
  const { groups, constants } = threads((cells * channels) / 2);
  tape.launch(
    inputShader,
    { x: x.storage, affine: source.affine ?? x.storage, transformed },
    {
      ...{ ...constants, HEIGHT: height, WIDTH: width, CHANNELS: channels / 2, CELLS_Y: cellsY, CELLS_X: cellsX },
      ...{ IMAGES: slice.images, FIRST_IN: x.first, FIRST: slice.first, GROUP: group },
      ...{ NORMALISED: source.affine ? 1 : 0, RELU: source.relu ? 1 : 0, HALF: source.dtype === "f16" ? 1 : 0 },
    },
    groups,
  );
  return transformed;
}

/** `partial`: as for `launchConvPool`. */
export function launchWinogradPool(
  tape: Tape,
  shape: BlockShape,
  slice: Slice,
  tensors: { transformed: Tensor; filter: Tensor; bias?: Tensor; pooled: Pooled; partial?: Storage },
  runs: { RUN: number; RUNS: number },
): void {
  const { transformed, filter, bias, pooled, partial } = tensors;
  const { channels, filters } = shape;
  const product = tape.temporary("products", [36, slice.images * cellsOf(shape), filters]);
  const kernel = new Tensor(tape, [36, channels, filters], transformFilter(tape, filter).forward, "transformed filter");
  launchProduct(tape, productOf(shape, slice), { x: transformed, kernel, output: product });
  const { groups, constants } = threads(slice.images * runs.RUNS * (filters / 4));
  tape.launch(
    poolShader,
    {
      ...{ product, bias: bias ?? filter, pooled: pooled.values.storage, argmax: pooled.argmax.storage },
      partial: partial ?? tape.temporary("no moments", [4]),
    },
    {
      ...{ ...constants, ...extents(shape), ...runs, FIRST_OUT: pooled.values.first, FIRST: slice.first },
      ...{ BIAS: bias ? 1 : 0, STATISTICS: partial ? 1 : 0, HALF: pooled.half ? 1 : 0 },
    },
    groups,
  );
}

/** The gradient of the products of one slice, [36, cells, filters]. */
export function launchOutputGradient(
  tape: Tape,
  shape: BlockShape,
  slice: Slice,
  tensors: { pooled: Pooled; arriving: Arriving; norm: Norm },
): Tensor {
  const { pooled, arriving, norm } = tensors;
  const gradient = arriving.parts.at(slice.first);
  const transformed = tape.temporary("transformed gradient", [36, slice.images * cellsOf(shape), shape.filters]);
  const { groups, constants } = threads((slice.images * cellsOf(shape) * shape.filters) / 4);
  tape.launch(
    outputGradientShader,
    {
      ...{ pooled: pooled.values.storage, argmax: pooled.argmax.storage, gradient: gradient.storage },
      ...{ ...norm, transformed },
    },
    {
      ...{ ...constants, ...extents(shape), GROUP: shape.group, RELU: shape.relu ? 1 : 0 },
      ...{ FIRST_POOLED: pooled.values.first, FIRST_GRADIENT: gradient.first, FIRST: slice.first },
      ...{ HALF: pooled.half ? 1 : 0, HALF_GRADIENT: arriving.parts.dtype === "f16" ? 1 : 0 },
      UNSCALE: 1 / arriving.scale,
    },
    groups,
  );
  return transformed;
}

/** d loss / d filter of one slice, [3, 3, channels, filters]. */
export function launchWinogradFilterGradient(
  tape: Tape,
  shape: BlockShape,
  slice: Slice,
  tensors: { x: Tensor; gradient: Tensor },
): Tensor {
  const { channels, filters } = shape;
  const { partial, parts } = launchKernelGradientParts(tape, productOf(shape, slice), tensors);
  const filter_gradient = tape.temporary("filter gradient", [3, 3, channels, filters]);
  const { groups, constants } = threads((channels * filters) / 4);
  tape.launch(filterGradientShader, { product: partial, filter_gradient }, { ...constants, PARTS: parts }, groups);
  return filter_gradient;
}

/** d loss / d x of one slice, with its sums for the batch-norm that x was read through, where there is one. */
export function launchWinogradInputGradient(
  tape: Tape,
  shape: BlockShape,
  slice: Slice,
  source: Source,
  tensors: { x: Place; gradient: Tensor; filter: Tensor; leaving: Arriving },
): void {
  const { x, gradient, filter, leaving } = tensors;
  const { height, width, channels, filters, cellsY, cellsX, group } = shape;
  const kernel = new Tensor(
    tape,
    [36, filters, channels],
    transformFilter(tape, filter).backward,
    "transformed filter",
  );
  const product = tape.temporary("products", [36, slice.images * cellsOf(shape), channels]);
  const turned = { ...productOf(shape, slice), inputs: filters, outputs: channels };
  launchProduct(tape, turned, { x: gradient, kernel, output: product });

  const { sums } = leaving;
  const output = leaving.parts.at(slice.first);
  const tiles = Math.ceil(height / 4) * Math.ceil(width / 4);
  const RUNS = sums?.runs ?? runsOf(tape, slice.images, channels / 4, tiles).RUNS;
  const { groups, constants } = threads((slice.images * RUNS * channels) / 4);
  tape.launch(
    inputGradientShader,
    {
      ...{ product, x: sums ? x.storage : product, affine: source.affine ?? product, input_gradient: output.storage },
      partial: sums?.partial ?? tape.temporary("no sums", [4]),
    },
    {
      ...{ ...constants, HEIGHT: height, WIDTH: width, CHANNELS: channels / 4, CELLS_Y: cellsY, CELLS_X: cellsX },
      ...{ IMAGES: slice.images, RUN: Math.ceil(tiles / RUNS), RUNS, GROUP: group },
      ...{ FIRST_IN: x.first, FIRST_OUT: output.first, FIRST: slice.first },
      ...{ SUMS: sums ? 1 : 0, RELU: source.relu ? 1 : 0, HALF: source.dtype === "f16" ? 1 : 0 },
      ...{ HALF_GRADIENT: leaving.parts.dtype === "f16" ? 1 : 0, SCALE: leaving.scale },
    },
    groups,
  );
}
