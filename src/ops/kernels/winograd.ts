// Winograd's convolution F(4x4, 3x3) (Lavin and Gray 2016): computes a cell of 4 x 4 outputs from a patch of 6 x 6
// inputs with 36 multiplications per pair of channels instead of 144. The products of all cells are 36 matrix products;
// the filter gradient goes back through the adjoints of the transforms. This file holds the transforms of filters and
// inputs, shared by single convolutions (winogradConvolution.ts) and blocks (winogradBlock.ts).
import filterShader from "../../../shaders/winograd/winograd.filter.wgsl";
import filterGradientShader from "../../../shaders/winograd/winograd.filterGradient.wgsl";
import inputShader from "../../../shaders/winograd/winograd.input.wgsl";
import type { Lowering } from "../../tape/lower.ts";
import { threads } from "../../tape/lowering/grid.ts";
import type { Place } from "../../tape/lowering/parts.ts";
import { Storage } from "../../tape/lowering/storage.ts";
import type { Tensor } from "../../tape/tensor.ts";
import { launchKernelGradientParts, type Product } from "./matrixProduct.ts";

/** The machine balance of GPUs: operations per byte of memory traffic (31 to 40: see docs/kernels.md). */
const balance = 40;

/** Input and output channels; number of cells of 4 x 4 outputs in the whole batch, and per image. */
export interface Cells {
  readonly channels: number;
  readonly filters: number;
  readonly cells: number;
  readonly cellsY: number;
  readonly cellsX: number;
}

/**
 * Whether Winograd applies: whole vec4s of channels. At more than 1024 channels the rounding error would exceed half of
 * the tolerance.
 */
export const fitsChannels = ({ channels, filters }: { readonly channels: number; readonly filters: number }): boolean =>
  [channels, filters].every((n) => n % 4 === 0 && n >= 16 && n <= 1024);

/**
 * Whether Winograd is chosen by rule. On GPUs: if there are enough channels for the saved arithmetic to outweigh the
 * traffic of the transformed tensors. On software adapters, whose data are in caches, it wins even if a 3 x 3 image
 * fills a quarter of its cell: the direct kernels waste as much there.
 * @param outputs of the convolution that are needed per image.
 */
export function prefersWinograd(to: Lowering, { channels, filters, cellsY, cellsX }: Cells, outputs: number): boolean {
  // Operations of the direct algorithm per byte that Winograd moves. A cell takes 288 channels * filters operations;
  // each of its 36 transformed values per channel is written once and read once, 288 (channels + filters) bytes.
  const intensity = (channels * filters) / (channels + filters);
  return to.device.adapter.software || (intensity * outputs) / (16 * cellsY * cellsX) >= balance;
}

export const productOf = ({ cells, channels, filters }: Cells): Product => ({
  batch: 36,
  rows: cells,
  inputs: channels,
  outputs: filters,
});

export interface TransformedFilter {
  readonly filter: Storage;
  readonly channels: number;
  readonly filters: number;
  /** [36, channels, filters]. */
  readonly forward: Storage;
  /** [36, filters, channels], for gradients; not computed unless it is read. */
  readonly backward: Storage;
  transposed: boolean;
}

/**
 * The transform of a filter. Filters that exist when a step begins are transformed in one launch before all others; a
 * filter that the step itself computes is transformed right after it is computed.
 */
export function transformFilter(to: Lowering, filter: Tensor): TransformedFilter {
  const known = to.once(transformFilter, () => {
    const all = new Map<Storage, TransformedFilter>();
    const there = ({ filter }: TransformedFilter) => filter.kind !== "temporary";
    to.prologue.push(() => launchFilters(to, [...all.values()].filter(there)));
    return all;
  });
  const storage = to.storage(filter);
  const found = known.get(storage);
  if (found) return found;
  const [, , channels, filters] = filter.shape;
  const make = (name: string) => new Storage("temporary", name, 36 * channels * filters, "f32");
  const [forward, backward] = [make("transformed filter"), make("transformed filter, transposed")];
  const made: TransformedFilter = { filter: storage, channels, filters, forward, backward, transposed: false };
  known.set(storage, made);
  for (const one of [forward, backward]) to.alone.set(one, () => launchFilter(to, filter, forward, backward));
  if (storage.kind === "temporary") to.following.set(storage, () => launchFilters(to, [made]));
  return made;
}

/** Transforms one filter. */
function launchFilter(to: Lowering, filters: Tensor, forward: Storage, backward: Storage): void {
  const [, , channels, count] = filters.shape;
  const table = to.constant("filter's place", [5], new Float32Array(Uint32Array.of(0, 0, 0, channels, count).buffer));
  const { groups, constants } = threads(channels * count);
  to.launch(filterShader, { filters, table, forward, backward }, { ...constants, CONVOLUTIONS: 1 }, groups);
}

/** The same transposed, for the gradient of the convolution's input: [36, filters, channels]. */
export function transposedFilter(to: Lowering, filter: Tensor): Storage {
  const found = transformFilter(to, filter);
  found.transposed = true;
  return found.backward;
}

function launchFilters(to: Lowering, all: readonly TransformedFilter[]): void {
  const byBuffer = new Map<unknown, TransformedFilter[]>();
  for (const one of all) {
    const key = one.filter.external?.buffer ?? one.filter;
    byBuffer.set(key, [...(byBuffer.get(key) ?? []), one]);
  }
  for (const members of byBuffer.values()) {
    const table = new Uint32Array(members.length * 5);
    let first = 0;
    const total = members.reduce((n, { forward }) => n + forward.bytes / 4, 0);
    const transposed = members.some((member) => member.transposed);
    const forward = new Storage("temporary", "transformed filters", total, "f32");
    const backward = new Storage("temporary", "transformed filters, transposed", transposed ? total : 4, "f32");
    let end = 0;
    members.forEach((member, i) => {
      const { channels, filters } = member;
      const offset = 36 * first;
      table.set([first, (member.filter.external?.offset ?? 0) / 4, offset, channels, filters], 5 * i);
      member.forward.within = { whole: forward, offset: 4 * offset };
      if (transposed) member.backward.within = { whole: backward, offset: 4 * offset };
      first += channels * filters;
      end = Math.max(end, (member.filter.external?.offset ?? 0) + member.filter.bytes);
    });
    const { filter } = members[0];
    const filters = new Storage(filter.kind, filter.name, end / 4, "f32");
    if (filter.external) filters.external = { buffer: filter.external.buffer, offset: 0 };
    const words = to.constant("filters' places", [table.length], new Float32Array(table.buffer));
    const { groups, constants } = threads(first);
    const bindings = { filters: filter.external ? filters : filter, table: words, forward, backward };
    to.launch(
      filterShader,
      bindings,
      { ...constants, CONVOLUTIONS: members.length, TURNED: transposed ? 1 : 0 },
      groups,
    );
  }
}

/** The layout of a convolution's input, and how it is read. */
export interface Patches {
  readonly height: number;
  readonly width: number;
  /** Rows and columns between the start of the first patch and the image. */
  readonly padY: number;
  readonly padX: number;
  readonly half?: boolean;
  /**
   * Batch-norm applied on reading (see `Source`), with or without ReLU; the first image's index in the batch, images
   * per group.
   */
  readonly through?: {
    readonly affine: Storage;
    readonly relu: boolean;
    readonly first: number;
    readonly group: number;
  };
}

/** The transformed input, [36, cells, channels]. */
export function launchInput(to: Lowering, shape: Cells, x: Place, patches: Patches): Tensor {
  const { channels, cells, cellsY, cellsX } = shape;
  const { height, width, padY, padX, half, through } = patches;
  const transformed = to.temporary("transformed input", [36, cells, channels]);
  const { groups, constants } = threads(cells * channels);
  to.launch(
    inputShader,
    { x: x.storage, affine: through?.affine ?? x.storage, transformed },
    {
      ...constants,
      HEIGHT: height,
      WIDTH: width,
      CHANNELS: channels,
      CELLS_Y: cellsY,
      CELLS_X: cellsX,
      PAD_Y: padY,
      PAD_X: padX,
      FIRST_IN: x.first,
      FIRST: through?.first ?? 0,
      GROUP: through?.group ?? 1,
      NORMALIZED: through ? 1 : 0,
      RELU: through?.relu ? 1 : 0,
      HALF: half ? 1 : 0,
    },
    groups,
  );
  return transformed;
}

/** d loss / d filter, [3, 3, channels, filters], from the transformed input and output gradient. */
export function launchFilterGradient(to: Lowering, shape: Cells, tensors: { x: Tensor; gradient: Tensor }): Tensor {
  const { channels, filters } = shape;
  const { partial, parts } = launchKernelGradientParts(to, productOf(shape), tensors);
  const filter_gradient = to.temporary("filter gradient", [3, 3, channels, filters]);
  const { groups, constants } = threads((channels * filters) / 4);
  to.launch(filterGradientShader, { product: partial, filter_gradient }, { ...constants, PARTS: parts }, groups);
  return filter_gradient;
}
