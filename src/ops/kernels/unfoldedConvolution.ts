// Convolution with few input channels (a first layer) as one matrix product over unfolded windows. The filter gradient
// gains nothing from it: the direct kernel computes its indices once for a whole line.
import unfoldShader from "../../../shaders/conv2d.unfold.wgsl";
import type { Tape } from "../../tape/tape.ts";
import type { Tensor } from "../../tape/tensor.ts";
import type { Convolution } from "./convolutionShape.ts";
import { launchProduct, type Product } from "./matrixProduct.ts";

/** Bytes that the unfolded windows may take, and rows that one matrix product takes. */
const mostBytes = 128 * 2 ** 20;
const mostRows = 2 ** 19 - 8;

const productOf = ({ batch, channels, filters, y, x }: Convolution): Product => ({
  batch: 1,
  rows: batch * y.output * x.output,
  inputs: y.size * x.size * channels,
  outputs: filters,
});

export function fitsUnfold(convolution: Convolution): boolean {
  const { rows, inputs } = productOf(convolution);
  return 4 * rows * inputs <= mostBytes && rows <= mostRows;
}

/** Whether it is probably faster: channels so few that the direct kernels would spend their time on indices. */
export const prefersUnfold = ({ channels }: Convolution): boolean => channels <= 4;

export function launchUnfolded(
  tape: Tape,
  convolution: Convolution,
  tensors: { readonly x: Tensor; readonly filter: Tensor; readonly bias?: Tensor; readonly output: Tensor },
): void {
  const { filter: kernel, bias, output } = tensors;
  launchProduct(tape, productOf(convolution), { x: unfold(tape, convolution, tensors.x), kernel, bias, output });
}

function unfold(tape: Tape, convolution: Convolution, source: Tensor): Tensor {
  const { batch, channels, y, x } = convolution;
  const { rows, inputs } = productOf(convolution);
  const unfolded = tape.temporary("windows", [rows, inputs]);
  const shape = {
    HEIGHT: y.input,
    WIDTH: x.input,
    CHANNELS: channels,
    OUTPUT_HEIGHT: y.output,
    OUTPUT_WIDTH: x.output,
    SIZE_Y: y.size,
    SIZE_X: x.size,
    STRIDE_Y: y.stride,
    STRIDE_X: x.stride,
    PAD_Y: y.before,
    PAD_X: x.before,
  };
  const grid = [Math.ceil((x.output * x.size) / 64), y.output, batch] as const;
  tape.launch(unfoldShader, { x: source, unfolded }, shape, grid);
  return unfolded;
}
