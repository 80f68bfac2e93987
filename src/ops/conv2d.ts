import { ShapeError } from "../errors.ts";
import { checkOptions } from "../options.ts";
import { type Operation, withGradient } from "../tape/graph.ts";
import { tapeOf } from "../tape/tape.ts";
import { describe, type Tensor } from "../tape/tensor.ts";
import { sumRows } from "./kernels/columnSum.ts";
import { launchFilterGradient, launchForward, launchInputGradient } from "./kernels/convolution.ts";
import type { Convolution } from "./kernels/convolutionShape.ts";
import { launchTiled } from "./kernels/directConvolution.ts";
import { type Extent, image, type Padding, windows } from "./kernels/windowShape.ts";

/** Options of `conv2d`. */
export interface Conv2dOptions {
  /** [O], added to each output channel. */
  readonly bias?: Tensor;
  /** Step between windows. @default 1 */
  readonly stride?: Extent;
  /** TensorFlow's rule. @default "same" */
  readonly padding?: Padding;
}

/**
 * Cross-correlation of x [B, H, W, I] with a filter [U, V, I, O], plus bias: [B, H', W', O].
 * Throws `SHAPE` for other ranks, for channels that do not match and for windows that do not fit.
 * @example
 * ```ts
 * const filter = tape.parameter("filter", [3, 3, 3, 16], { initial: "glorot-uniform", seed: 1 });
 * const y = conv2d(tape.input("x", [4, 56, 56, 3]), filter, { stride: 2 }); // [4, 28, 28, 16]
 * ```
 */
export const conv2d = (x: Tensor, filter: Tensor, options?: Conv2dOptions): Tensor =>
  recordConv2d(differentiable, x, filter, options);

/** The same without the chain rule, for inference. */
export const plainConv2d: typeof conv2d = (x, filter, options) => recordConv2d(conv2dOperation, x, filter, options);

function recordConv2d(
  operation: Operation<Convolution>,
  x: Tensor,
  filter: Tensor,
  options: Conv2dOptions = {},
): Tensor {
  checkOptions("conv2d", options, { bias: 1, stride: 1, padding: 1 });
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
  const axes = { y: { ...rows, input: height }, x: { ...columns, input: width } };
  const shape = [batch, rows.output, columns.output, filters];
  const inputs = bias ? [x, filter, bias] : [x, filter];
  return tape.record(operation, inputs, { batch, channels, filters, ...axes }, shape);
}

/**
 * Uses the portable kernel only: in inference, the layers that reach this operation form no block, because their
 * filters are no multiple of 4, and the faster kernels require that.
 */
export const conv2dOperation: Operation<Convolution> = {
  name: "conv2d",
  lower({ inputs: [x, filter, bias], outputs: [output], options }, to) {
    launchTiled(to, options, { x, filter, bias, output });
  },
};

const differentiable = /* @__PURE__ */ withGradient(conv2dOperation, {
  lower({ inputs: [x, filter, bias], outputs: [output], options }, to) {
    launchForward(to, options, { x, filter, bias, output });
  },
  gradient: ({ inputs: [x, filter], options }, gradient, wanted) => [
    wanted[0] ? conv2dInputGradient(options, x, filter, gradient) : undefined,
    wanted[1] ? conv2dFilterGradient(options, x, filter, gradient) : undefined,
    wanted[2] ? sumRows("bias gradient", gradient, [options.filters]) : undefined,
  ],
});

export function conv2dInputGradient(options: Convolution, x: Tensor, filter: Tensor, gradient: Tensor): Tensor {
  return gradient.tape.record(inputGradientOperation, [filter, gradient], options, x.shape);
}

const inputGradientOperation: Operation<Convolution> = {
  name: "conv2d input gradient",
  lower({ inputs: [filter, gradient], outputs: [output], options }, to) {
    launchInputGradient(to, options, { filter, gradient, output });
  },
};

export function conv2dFilterGradient(options: Convolution, x: Tensor, filter: Tensor, gradient: Tensor): Tensor {
  return gradient.tape.record(filterGradientOperation, [x, gradient], options, filter.shape);
}

const filterGradientOperation: Operation<Convolution> = {
  name: "conv2d filter gradient",
  lower({ inputs: [x, gradient], outputs: [output], options }, to) {
    to.place(output, to.storage(launchFilterGradient(to, options, { x, gradient }, output.shape)));
  },
};
