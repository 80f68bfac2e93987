import { ShapeError } from "../errors.ts";
import { type Backward, type Tape, tapeOf } from "../tape/tape.ts";
import { describe, Tensor } from "../tape/tensor.ts";
import { columnSum } from "./kernels/columnSum.ts";
import { launchFilterGradient, launchForward, launchInputGradient } from "./kernels/convolution.ts";
import type { Convolution } from "./kernels/convolutionShape.ts";
import { type Extent, image, type Padding, windows } from "./kernels/windowShape.ts";

export interface Conv2dOptions {
  /** [O], added to each output channel. */
  readonly bias?: Tensor;
  /** Step between windows, 1 by default. */
  readonly stride?: Extent;
  /** TensorFlow's rule; `same` by default. */
  readonly padding?: Padding;
}

/**
 * Cross-correlation of x [B, H, W, I] with a filter [U, V, I, O], plus bias: [B, H', W', O].
 * Throws `SHAPE` for other ranks, for channels that do not match and for windows that do not fit.
 */
export function conv2d(x: Tensor, filter: Tensor, options: Conv2dOptions = {}): Tensor {
  const { bias, stride = 1, padding = "same" } = options;
  const tape = tapeOf("conv2d", x, filter, bias);
  const [batch, height, width, channels] = image("conv2d", x);
  if (filter.shape.length !== 4 || filter.shape[2] !== channels) {
    throw new ShapeError(
      "conv2d",
      `the filter is ${describe(filter.shape)}; expected [rows, columns, ${channels}, filters] for x ${describe(x.shape)}.`,
    );
  }
  const filters = filter.shape[3];
  if (bias && describe(bias.shape) !== describe([filters])) {
    throw new ShapeError("conv2d", `the bias is ${describe(bias.shape)}; expected ${describe([filters])}.`);
  }
  const [rows, columns] = windows("conv2d", [height, width], [filter.shape[0], filter.shape[1]], stride, padding);
  const convolution: Convolution = {
    batch,
    channels,
    filters,
    y: { ...rows, input: height },
    x: { ...columns, input: width },
  };
  const shape = [batch, rows.output, columns.output, filters];
  const output = tape.deferred("conv2d", shape, (storage) =>
    launchForward(tape, convolution, { x, filter, bias, output: new Tensor(tape, shape, storage, "conv2d") }),
  );
  const inputs = bias ? [x, filter, bias] : [x, filter];

  const backward: Backward = (gradient, wanted) => {
    const input_gradient = wanted[0] ? tape.temporary("conv2d gradient", x.shape) : undefined;
    if (input_gradient) launchInputGradient(tape, convolution, { filter, gradient, output: input_gradient });
    return [
      input_gradient,
      wanted[1] ? launchFilterGradient(tape, convolution, { x, gradient }, filter.shape) : undefined,
      wanted[2] ? biasGradient(tape, gradient.spreadFrom ?? gradient, filters) : undefined,
    ];
  };
  return tape.record("conv2d", inputs, output, backward, convolution);
}

/** d loss / d bias: the sum of the output gradient over batch and space. Under a max-pool, of the pool's own gradient. */
function biasGradient(tape: Tape, gradient: Tensor, filters: number): Tensor {
  return columnSum(tape, "bias gradient", gradient, gradient.size / filters, [filters]);
}
