// Convolutions with few input channels: kernels for many channels would spend their time on index arithmetic.
import fewFilterGradientShader from "../../../shaders/gpu/conv2d.filterGradient.few.wgsl";
import fewShader from "../../../shaders/gpu/conv2d.forward.few.wgsl";
import type { Lowering } from "../../tape/lower.ts";
import type { Tensor } from "../../tape/tensor.ts";
import { inParts } from "./columnSum.ts";
import type { Convolution } from "./convolutionShape.ts";

interface ForwardTensors {
  readonly x: Tensor;
  readonly filter: Tensor;
  readonly bias?: Tensor;
  readonly output: Tensor;
}

/** Pixels of one line per thread or workgroup of the forward kernels; channels of a `.few` workgroup. */
const pixels = 8;
const fewColumns = 64;
/** The most rows (u, v, c) whose sums a thread of the filter gradient keeps in registers. */
const mostRows = 36;
const mostGroups = 65535;
/**
 * The fewest terms of a part of the filter gradient on GPUs. One workgroup computes a part, so long parts would be too
 * few.
 */
const fewestTerms = 64;

const unitStride = ({ y, x }: Convolution) => y.stride === 1 && x.stride === 1;

const sizesOf = ({ filters, y, x }: Convolution) => ({
  HEIGHT: y.input,
  WIDTH: x.input,
  OUTPUT_HEIGHT: y.output,
  OUTPUT_WIDTH: x.output,
  FILTERS: filters,
  PAD_Y: y.before,
  PAD_X: x.before,
});

const tilesOf = ({ y, x }: Convolution) => Math.ceil(x.output / pixels) * y.output;

/** For GPUs: up to four channels, filters 3 wide. */
export const fitsFew = (c: Convolution): boolean =>
  c.channels <= 4 && c.x.size === 3 && unitStride(c) && tilesOf(c) <= mostGroups;

export function launchFew(to: Lowering, c: Convolution, { x, filter, bias, output }: ForwardTensors): void {
  const bindings = { x, filter_: filter, bias: bias ?? filter, output };
  const constants = { ...sizesOf(c), CHANNELS: c.channels, SIZE_Y: c.y.size, BIAS: bias ? 1 : 0 };
  to.launch(fewShader, bindings, constants, [Math.ceil(c.filters / fewColumns), tilesOf(c), c.batch]);
}

/** For GPUs: few rows (u, v, c). */
export const fitsFewFilterGradient = (c: Convolution): boolean =>
  c.y.size * c.x.size * c.channels <= mostRows && unitStride(c);

/** The output's lines: a filter gradient is a sum over them. */
const linesOf = ({ batch, y, x }: Convolution) => ({ lines: batch * y.output, width: x.output });

interface Sums {
  readonly x: Tensor;
  readonly gradient: Tensor;
}

export function launchFewFilterGradient(to: Lowering, c: Convolution, sums: Sums, shape: readonly number[]): Tensor {
  const groups = Math.ceil(c.filters / fewColumns);
  const sizes = { SIZE_Y: c.y.size, SIZE_X: c.x.size, CHANNELS: c.channels };
  return inParts(to, { ...linesOf(c), workgroups: groups, fewest: fewestTerms }, shape, (partial, { PART, parts }) => {
    const constants = { ...sizesOf(c), LINES: c.batch * c.y.output, PART };
    to.launch(fewFilterGradientShader, { ...sums, partial }, constants, [groups, parts], sizes);
  });
}
