// A single convolution and its filter gradient by Winograd's F(4x4, 3x3): see winograd.ts.
import outputShader from "../../../shaders/winograd/winograd.output.wgsl";
import outputGradientShader from "../../../shaders/winograd/winograd.outputGradient.wgsl";
import type { Lowering } from "../../tape/lower.ts";
import { threads } from "../../tape/lowering/grid.ts";
import type { Tensor } from "../../tape/tensor.ts";
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

/** The most bytes of one transformed tensor: it is two to four times as large as the original. */
const mostBytes = 256 * 2 ** 20;

const cellsOf = ({ batch, channels, filters, y, x }: Convolution): Cells => {
  const [cellsY, cellsX] = [Math.ceil(y.output / 4), Math.ceil(x.output / 4)];
  return { channels, filters, cells: batch * cellsY * cellsX, cellsY, cellsX };
};

/** A 3 x 3 filter with stride 1, channels that fit, and transformed tensors within the memory limit. */
export function fits(convolution: Convolution): boolean {
  const { channels, filters, y, x } = convolution;
  const bytes = 4 * 36 * cellsOf(convolution).cells * Math.max(channels, filters);
  return (
    [y, x].every((axis) => axis.size === 3 && axis.stride === 1) && fitsChannels(convolution) && bytes <= mostBytes
  );
}

export const prefers = (to: Lowering, convolution: Convolution): boolean =>
  prefersWinograd(to, cellsOf(convolution), convolution.y.output * convolution.x.output);

/** The extents for reading and writing the output and its gradient, with channels in vectors of length `vector`. */
const extents = ({ filters, y, x }: Convolution, { cellsY, cellsX }: Cells, vector: number) => ({
  FILTERS: filters / vector,
  HEIGHT: y.output,
  WIDTH: x.output,
  CELLS_Y: cellsY,
  CELLS_X: cellsX,
});

export function launchForward(
  to: Lowering,
  convolution: Convolution,
  tensors: { readonly x: Tensor; readonly filter: Tensor; readonly bias?: Tensor; readonly output: Tensor },
): void {
  const { filter, bias, output } = tensors;
  const shape = cellsOf(convolution);
  const { channels, filters, cells } = shape;
  const { forward } = transformFilter(to, filter);
  const kernel = to.view(forward, [36, channels, filters]);
  const product = to.temporary("products", [36, cells, filters]);
  launchProduct(to, productOf(shape), { x: transformInput(to, convolution, tensors.x), kernel, output: product });
  const { groups, constants } = threads((cells * filters) / 4);
  const values = { ...constants, ...extents(convolution, shape, 4), BIAS: bias ? 1 : 0 };
  to.launch(outputShader, { product, bias: bias ?? filter, output }, values, groups);
}

/** d loss / d filter, of the shape [3, 3, channels, filters]. */
export function launchGradient(
  to: Lowering,
  convolution: Convolution,
  { x, gradient }: { readonly x: Tensor; readonly gradient: Tensor },
): Tensor {
  const shape = cellsOf(convolution);
  const transformed = to.temporary("transformed gradient", [36, shape.cells, shape.filters]);
  const { groups, constants } = threads((shape.cells * shape.filters) / 2);
  const values = { ...constants, ...extents(convolution, shape, 2) };
  to.launch(outputGradientShader, { gradient, transformed }, values, groups);
  return launchFilterGradient(to, shape, { x: transformInput(to, convolution, x), gradient: transformed });
}

const transformInput = (to: Lowering, convolution: Convolution, x: Tensor): Tensor => {
  const { y, x: columns } = convolution;
  const patches = { height: y.input, width: columns.input, padY: y.before, padX: columns.before };
  return launchInput(to, cellsOf(convolution), { storage: to.storage(x), first: 0 }, patches);
};
