// The launches of a convolution, shared by conv2d and by dense (a 1 x 1 convolution over a row of B pixels).
import filterGradientShader from "../../shaders/conv2d.filterGradient.wgsl";
import flipFilterShader from "../../shaders/conv2d.flipFilter.wgsl";
import forwardShader from "../../shaders/conv2d.forward.wgsl";
import { threads } from "../tape/grid.ts";
import type { Tape } from "../tape/tape.ts";
import type { Tensor } from "../tape/tensor.ts";
import { columnSum } from "./columnSum.ts";
import type { Axis } from "./windows.ts";

/** x is [batch, y.input, x.input, channels], the output [batch, y.output, x.output, filters]. */
export interface Convolution {
  readonly batch: number;
  readonly channels: number;
  readonly filters: number;
  readonly y: Axis & { readonly input: number };
  readonly x: Axis & { readonly input: number };
}

const activations = { sigmoid: 1, relu: 2 };

/** What a thread computes in conv2d.forward (pixels x channels) and conv2d.filterGradient (rows x channels). */
const tile = 8;
/** Threads of a workgroup over channels: enough for all of them, up to eight. */
const lanesFor = (filters: number) => Math.min(8, 2 ** Math.ceil(Math.log2(Math.ceil(filters / tile))));
const mostGroups = 65535;

export function launchForward(
  tape: Tape,
  { batch, channels, filters, y, x }: Convolution,
  tensors: { readonly x: Tensor; readonly filter: Tensor; readonly bias?: Tensor; readonly output: Tensor },
  options: { readonly activation?: "sigmoid" | "relu"; readonly dilation?: readonly [number, number] } = {},
): void {
  const LANES = lanesFor(filters);
  const TILES = 64 / LANES;
  const pixels = batch * y.output * x.output;
  const groups = Math.ceil(pixels / (tile * TILES));
  const ROW = Math.min(groups, mostGroups);
  const [DILATION_Y, DILATION_X] = options.dilation ?? [1, 1];
  tape.launch(
    forwardShader,
    { x: tensors.x, filter_: tensors.filter, bias: tensors.bias ?? tensors.filter, output: tensors.output },
    {
      ...{ HEIGHT: y.input, WIDTH: x.input, CHANNELS: channels },
      ...{ OUTPUT_HEIGHT: y.output, OUTPUT_WIDTH: x.output, FILTERS: filters, PIXELS: pixels },
      ...{ SIZE_Y: y.size, SIZE_X: x.size, STRIDE_Y: y.stride, STRIDE_X: x.stride, PAD_Y: y.before, PAD_X: x.before },
      ...{ DILATION_Y, DILATION_X, BIAS: tensors.bias ? 1 : 0, ROW },
      ACTIVATION: options.activation ? activations[options.activation] : 0,
    },
    [Math.ceil(filters / (tile * LANES)), ROW, Math.ceil(groups / ROW)],
    { LANES, TILES },
  );
}

/** d loss / d x: the output gradient, with stride - 1 zeros between its elements, convolved with the flipped filter. */
export function launchInputGradient(
  tape: Tape,
  convolution: Convolution,
  tensors: { readonly filter: Tensor; readonly gradient: Tensor; readonly output: Tensor },
): void {
  const { batch, channels, filters, y, x } = convolution;
  const flipped = tape.temporary("flipped filter", [y.size, x.size, filters, channels]);
  const { groups, constants } = threads(flipped.size);
  const shape = { TAPS: y.size * x.size, CHANNELS: channels, FILTERS: filters };
  tape.launch(flipFilterShader, { filter_: tensors.filter, flipped }, { ...constants, ...shape }, groups);

  const backwards = (axis: Convolution["y"]) => ({
    ...{ input: axis.output, output: axis.input, size: axis.size, stride: 1, before: axis.size - 1 - axis.before },
  });
  launchForward(
    tape,
    { batch, channels: filters, filters: channels, y: backwards(y), x: backwards(x) },
    { x: tensors.gradient, filter: flipped, output: tensors.output },
    { dilation: [y.stride, x.stride] },
  );
}

/** Workgroups that keep an adapter busy; more parts than that only make the second pass longer. */
const busy = 256;

/** d loss / d filter, of the shape [y.size, x.size, channels, filters]. */
export function launchFilterGradient(
  tape: Tape,
  { batch, channels, filters, y, x }: Convolution,
  tensors: { readonly x: Tensor; readonly gradient: Tensor },
  shape: readonly number[],
): Tensor {
  const LANES = lanesFor(filters);
  const TILES = 64 / LANES;
  const rows = y.size * x.size * channels;
  const tiles = [Math.ceil(filters / (tile * LANES)), Math.ceil(rows / (tile * TILES))] as const;
  const lines = batch * y.output;
  const PART = Math.ceil(lines / Math.min(lines, Math.ceil(busy / (tiles[0] * tiles[1]))));
  const parts = Math.ceil(lines / PART);
  const partial = tape.temporary("filter gradient", parts === 1 ? shape : [parts, rows, filters]);
  tape.launch(
    filterGradientShader,
    { x: tensors.x, gradient: tensors.gradient, partial },
    {
      ...{ HEIGHT: y.input, WIDTH: x.input, CHANNELS: channels },
      ...{ OUTPUT_HEIGHT: y.output, OUTPUT_WIDTH: x.output, FILTERS: filters },
      ...{ SIZE_Y: y.size, SIZE_X: x.size, STRIDE_Y: y.stride, STRIDE_X: x.stride, PAD_Y: y.before, PAD_X: x.before },
      ...{ LINES: lines, PART },
    },
    [...tiles, parts],
    { LANES, TILES },
  );
  return parts === 1 ? partial : columnSum(tape, "filter gradient", partial, parts, shape);
}
