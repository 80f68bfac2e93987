// A first layer's convolution: so few channels in that the kernels for many would spend their time on indices.
import fewFilterGradientShader from "../../../shaders/conv2d.filterGradient.few.wgsl";
import rgbFilterGradientShader from "../../../shaders/conv2d.filterGradient.rgb.wgsl";
import fewShader from "../../../shaders/conv2d.forward.few.wgsl";
import grayShader from "../../../shaders/conv2d.forward.gray.wgsl";
import type { Tape } from "../../tape/tape.ts";
import type { Tensor } from "../../tape/tensor.ts";
import { inParts } from "./columnSum.ts";
import type { Convolution } from "./convolutionShape.ts";

interface ForwardTensors {
  readonly x: Tensor;
  readonly filter: Tensor;
  readonly bias?: Tensor;
  readonly output: Tensor;
}

/** Pixels of one line that a thread or a workgroup of the forward kernels computes; channels of a `.few` workgroup. */
const pixels = 8;
const fewColumns = 64;
/** Rows (u, v, c) whose sums a thread of the filter gradient keeps in registers. */
const mostRows = 36;
const mostGroups = 65535;
/** Terms of a part of the filter gradient on GPUs: one workgroup makes all of a part, so a long one would be one of few. */
const fewestTerms = 64;

const unitStride = ({ y, x }: Convolution) => y.stride === 1 && x.stride === 1;
const three = ({ y, x }: Convolution) => y.size === 3 && x.size === 3;

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

/** One channel, 3 x 3: for software adapters. */
export const fitsGray = (c: Convolution): boolean =>
  c.channels === 1 && three(c) && unitStride(c) && c.filters % 4 === 0;

export function launchGray(tape: Tape, c: Convolution, { x, filter, bias, output }: ForwardTensors): void {
  const bindings = { x, filter_: filter, bias: bias ?? filter, output };
  const lengths = { X_LENGTH: x.size, FILTER_LENGTH: filter.size / 4, OUTPUT_LENGTH: output.size / 4 };
  const constants = { ...sizesOf(c), BIAS: bias ? 1 : 0 };
  tape.launch(grayShader, bindings, constants, [Math.ceil(tilesOf(c) / 64), 1, c.batch], lengths);
}

/** Up to four channels, filters 3 wide: for GPUs. */
export const fitsFew = (c: Convolution): boolean =>
  c.channels <= 4 && c.x.size === 3 && unitStride(c) && tilesOf(c) <= mostGroups;

export function launchFew(tape: Tape, c: Convolution, { x, filter, bias, output }: ForwardTensors): void {
  const bindings = { x, filter_: filter, bias: bias ?? filter, output };
  const constants = { ...sizesOf(c), CHANNELS: c.channels, SIZE_Y: c.y.size, BIAS: bias ? 1 : 0 };
  tape.launch(fewShader, bindings, constants, [Math.ceil(c.filters / fewColumns), tilesOf(c), c.batch]);
}

/** Three channels, 3 x 3 SAME: for software adapters. */
export const fitsRgbFilterGradient = (c: Convolution): boolean =>
  c.channels === 3 && three(c) && unitStride(c) && c.x.before === 1 && c.filters % 8 === 0 && c.x.input % 4 === 0;

/** Few rows (u, v, c): for GPUs. */
export const fitsFewFilterGradient = (c: Convolution): boolean =>
  c.y.size * c.x.size * c.channels <= mostRows && unitStride(c);

/** Of the output: what a filter gradient is a sum over. */
const linesOf = ({ batch, y, x }: Convolution) => ({ lines: batch * y.output, width: x.output });

interface Sums {
  readonly x: Tensor;
  readonly gradient: Tensor;
}

export function launchRgbFilterGradient(tape: Tape, c: Convolution, sums: Sums, shape: readonly number[]): Tensor {
  const LANES = Math.min(8, 2 ** Math.ceil(Math.log2(c.filters / 8)));
  const tiles = Math.ceil(c.filters / (8 * LANES));
  const { HEIGHT, WIDTH, FILTERS, PAD_Y } = sizesOf(c);
  const lengths = { X_LENGTH: sums.x.size / 4, GRADIENT_LENGTH: sums.gradient.size / 4 };
  return inParts(tape, { ...linesOf(c), workgroups: tiles }, shape, (partial, part) => {
    const constants = { HEIGHT, WIDTH, FILTERS, PAD_Y, LINES: c.batch * HEIGHT, PART: part.PART };
    const grid = [tiles, part.parts] as const;
    tape.launch(rgbFilterGradientShader, { ...sums, partial }, constants, grid, { LANES, ...lengths });
  });
}

export function launchFewFilterGradient(tape: Tape, c: Convolution, sums: Sums, shape: readonly number[]): Tensor {
  const groups = Math.ceil(c.filters / fewColumns);
  const sizes = { SIZE_Y: c.y.size, SIZE_X: c.x.size, CHANNELS: c.channels };
  return inParts(
    tape,
    { ...linesOf(c), workgroups: groups, fewest: fewestTerms },
    shape,
    (partial, { PART, parts }) => {
      const constants = { ...sizesOf(c), LINES: c.batch * c.y.output, PART };
      tape.launch(fewFilterGradientShader, { ...sums, partial }, constants, [groups, parts], sizes);
    },
  );
}
