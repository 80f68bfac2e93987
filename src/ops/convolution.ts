// The launches of a convolution by the direct algorithm, and the choice between that, Winograd's and unfolding.
import dilateShader from "../../shaders/conv2d.dilate.wgsl";
import filterGradientShader from "../../shaders/conv2d.filterGradient.wgsl";
import flipFilterShader from "../../shaders/conv2d.flipFilter.wgsl";
import forwardShader from "../../shaders/conv2d.forward.wgsl";
import { threads } from "../tape/grid.ts";
import type { Tape } from "../tape/tape.ts";
import type { Tensor } from "../tape/tensor.ts";
import { columnSum } from "./columnSum.ts";
import { lanesFor, partsFor, tile } from "./tiles.ts";
import { launchUnfolded, launchUnfoldedFilterGradient, suitsUnfold } from "./unfold.ts";
import type { Axis } from "./windows.ts";
import { launchWinograd, launchWinogradFilterGradient, suitsWinograd } from "./winograd.ts";

/** x is [batch, y.input, x.input, channels], the output [batch, y.output, x.output, filters]. */
export interface Convolution {
  readonly batch: number;
  readonly channels: number;
  readonly filters: number;
  readonly y: Axis & { readonly input: number };
  readonly x: Axis & { readonly input: number };
}

const mostGroups = 65535;

/** output = x * filter + bias. */
export function launchForward(
  tape: Tape,
  convolution: Convolution,
  tensors: { readonly x: Tensor; readonly filter: Tensor; readonly bias?: Tensor; readonly output: Tensor },
): void {
  if (suitsWinograd(convolution)) launchWinograd(tape, convolution, tensors, false);
  else if (suitsUnfold(convolution)) launchUnfolded(tape, convolution, tensors);
  else launchDirect(tape, convolution, tensors);
}

function launchDirect(
  tape: Tape,
  { batch, channels, filters, y, x }: Convolution,
  tensors: { readonly x: Tensor; readonly filter: Tensor; readonly bias?: Tensor; readonly output: Tensor },
): void {
  const { LANES, TILES } = lanesFor(filters);
  const pixels = batch * y.output * x.output;
  const groups = Math.ceil(pixels / (tile * TILES));
  const ROW = Math.min(groups, mostGroups);
  tape.launch(
    forwardShader,
    { x: tensors.x, filter_: tensors.filter, bias: tensors.bias ?? tensors.filter, output: tensors.output },
    {
      ...{ HEIGHT: y.input, WIDTH: x.input, CHANNELS: channels },
      ...{ OUTPUT_HEIGHT: y.output, OUTPUT_WIDTH: x.output, FILTERS: filters, PIXELS: pixels },
      ...{ SIZE_Y: y.size, SIZE_X: x.size, STRIDE_Y: y.stride, STRIDE_X: x.stride, PAD_Y: y.before, PAD_X: x.before },
      ...{ BIAS: tensors.bias ? 1 : 0, ROW },
    },
    [Math.ceil(filters / (tile * LANES)), ROW, Math.ceil(groups / ROW)],
    { LANES, TILES, X_LENGTH: tensors.x.size, FILTER_LENGTH: tensors.filter.size },
  );
}

/** d loss / d x: the output gradient, with stride - 1 zeros between its elements, convolved with the flipped filter. */
export function launchInputGradient(
  tape: Tape,
  convolution: Convolution,
  tensors: { readonly filter: Tensor; readonly gradient: Tensor; readonly output: Tensor },
): void {
  const { batch, channels, filters, y, x } = convolution;
  const gradient = launchDilate(tape, convolution, tensors.gradient);
  const backwards = (axis: Convolution["y"], input: number) => ({
    ...{ input, output: axis.input, size: axis.size, stride: 1, before: axis.size - 1 - axis.before },
  });
  const [, height, width] = gradient.shape;
  const adjoint = { batch, channels: filters, filters: channels, y: backwards(y, height), x: backwards(x, width) };
  if (suitsWinograd(adjoint)) {
    launchWinograd(tape, adjoint, { x: gradient, filter: tensors.filter, output: tensors.output }, true);
    return;
  }
  const flipped = tape.temporary("flipped filter", [y.size, x.size, filters, channels]);
  const { groups, constants } = threads(flipped.size);
  const shape = { TAPS: y.size * x.size, CHANNELS: channels, FILTERS: filters };
  tape.launch(flipFilterShader, { filter_: tensors.filter, flipped }, { ...constants, ...shape }, groups);
  launchDirect(tape, adjoint, { x: gradient, filter: flipped, output: tensors.output });
}

function launchDilate(tape: Tape, { batch, filters, y, x }: Convolution, gradient: Tensor): Tensor {
  if (y.stride === 1 && x.stride === 1) return gradient;
  const [height, width] = [y, x].map((axis) => (axis.output - 1) * axis.stride + 1);
  const dilated = tape.temporary("dilated gradient", [batch, height, width, filters]);
  const { groups, constants } = threads(dilated.size);
  const shape = { HEIGHT: y.output, WIDTH: x.output, FILTERS: filters, STRIDE_Y: y.stride, STRIDE_X: x.stride };
  const size = { DILATED_HEIGHT: height, DILATED_WIDTH: width };
  tape.launch(dilateShader, { gradient, dilated }, { ...constants, ...shape, ...size }, groups);
  return dilated;
}

/** d loss / d filter, of the shape [y.size, x.size, channels, filters]. */
export function launchFilterGradient(
  tape: Tape,
  convolution: Convolution,
  tensors: { readonly x: Tensor; readonly gradient: Tensor },
  shape: readonly number[],
): Tensor {
  if (suitsWinograd(convolution)) return launchWinogradFilterGradient(tape, convolution, tensors, shape);
  if (suitsUnfold(convolution)) return launchUnfoldedFilterGradient(tape, convolution, tensors, shape);
  const { batch, channels, filters, y, x } = convolution;
  const { LANES, TILES } = lanesFor(filters);
  const rows = y.size * x.size * channels;
  const tiles = [Math.ceil(filters / (tile * LANES)), Math.ceil(rows / (tile * TILES))] as const;
  const lines = batch * y.output;
  const { part: PART, parts } = partsFor(tape, lines, x.output, tiles[0] * tiles[1]);
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
    { LANES, TILES, X_LENGTH: tensors.x.size, GRADIENT_LENGTH: tensors.gradient.size },
  );
  return parts === 1 ? partial : columnSum(tape, "filter gradient", partial, parts, shape);
}
