// A convolution by itself, and its filter gradient, by Winograd's F(4x4, 3x3): see winograd.ts.
import outputShader from "../../../shaders/winograd.output.wgsl";
import outputGradientShader from "../../../shaders/winograd.outputGradient.wgsl";
import { threads } from "../../tape/grid.ts";
import type { Tape } from "../../tape/tape.ts";
import { Tensor } from "../../tape/tensor.ts";
import type { Convolution } from "./convolutionShape.ts";
import { launchProduct } from "./matrixProduct.ts";
import {
  type Cells,
  fitsChannels,
  launchFilterGradient,
  launchInput,
  prefersWinograd,
  productOf,
  transformFilter,
} from "./winograd.ts";

/** Bytes that a transformed tensor of one convolution may take: they are two to four times as large as what they come from. */
const mostBytes = 256 * 2 ** 20;

const cellsOf = ({ batch, channels, filters, y, x }: Convolution): Cells => {
  const [cellsY, cellsX] = [Math.ceil(y.output / 4), Math.ceil(x.output / 4)];
  return { channels, filters, cells: batch * cellsY * cellsX, cellsY, cellsX };
};

/** A 3 x 3 filter with stride 1, channels that fit, no more memory than it may take. */
export function fits(convolution: Convolution): boolean {
  const { channels, filters, y, x } = convolution;
  const bytes = 4 * 36 * cellsOf(convolution).cells * Math.max(channels, filters);
  return (
    [y, x].every((axis) => axis.size === 3 && axis.stride === 1) && fitsChannels(convolution) && bytes <= mostBytes
  );
}

export const prefers = (tape: Tape, convolution: Convolution): boolean =>
  prefersWinograd(tape, cellsOf(convolution), convolution.y.output * convolution.x.output);

/** What the output and its gradient are read and written by, channels in vectors of so many. */
const extents = ({ filters, y, x }: Convolution, { cellsY, cellsX }: Cells, vector: number) => ({
  FILTERS: filters / vector,
  HEIGHT: y.output,
  WIDTH: x.output,
  CELLS_Y: cellsY,
  CELLS_X: cellsX,
});

export function launchForward(
  tape: Tape,
  convolution: Convolution,
  tensors: { readonly x: Tensor; readonly filter: Tensor; readonly bias?: Tensor; readonly output: Tensor },
): void {
  const { filter, bias, output } = tensors;
  const shape = cellsOf(convolution);
  const { channels, filters, cells } = shape;
  const { forward } = transformFilter(tape, filter);
  const kernel = new Tensor(tape, [36, channels, filters], forward, "transformed filter");
  const product = tape.temporary("products", [36, cells, filters]);
  launchProduct(tape, productOf(shape), { x: transformInput(tape, convolution, tensors.x), kernel, output: product });
  const { groups, constants } = threads((cells * filters) / 4);
  const values = { ...constants, ...extents(convolution, shape, 4), BIAS: bias ? 1 : 0 };
  tape.launch(outputShader, { product, bias: bias ?? filter, output }, values, groups);
}

/** d loss / d filter, of the shape [3, 3, channels, filters]. */
export function launchGradient(
  tape: Tape,
  convolution: Convolution,
  { x, gradient }: { readonly x: Tensor; readonly gradient: Tensor },
): Tensor {
  const shape = cellsOf(convolution);
  const transformed = tape.temporary("transformed gradient", [36, shape.cells, shape.filters]);
  const { groups, constants } = threads((shape.cells * shape.filters) / 2);
  const values = { ...constants, ...extents(convolution, shape, 2) };
  tape.launch(outputGradientShader, { gradient, transformed }, values, groups);
  return launchFilterGradient(tape, shape, { x: transformInput(tape, convolution, x), gradient: transformed });
}

const transformInput = (tape: Tape, convolution: Convolution, { storage }: Tensor): Tensor => {
  const { y, x } = convolution;
  const patches = { height: y.input, width: x.input, padY: y.before, padX: x.before };
  return launchInput(tape, cellsOf(convolution), { storage, first: 0 }, patches);
};
