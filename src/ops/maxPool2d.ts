import { checkOptions } from "../options.ts";
import { type Operation, withGradient } from "../tape/graph.ts";
import { tapeOf } from "../tape/tape.ts";
import type { Tensor } from "../tape/tensor.ts";
import { biasUnderMaxPool } from "./fused/biasUnderMaxPool.ts";
import { launchMaxPool2d, launchPortableMaxPool2d, maxPool2dGradient, type Windows } from "./kernels/maxPool.ts";
import { type Extent, image, type Padding, windows } from "./kernels/windowShape.ts";

/** Options of `maxPool2d`. */
export interface MaxPool2dOptions {
  /** Window, rows and columns. @default 2 */
  readonly size?: Extent;
  /** Stride; the size by default. */
  readonly stride?: Extent;
  /**
   * TensorFlow's rule.
   * @default "valid"
   */
  readonly padding?: Padding;
}

/**
 * The maximum of each window: [B, H, W, C] -> [B, H', W', C]. The first maximum in row-major order gets the gradient;
 * its position is stored in the forward pass if a gradient is requested. NaN is the largest value; the last NaN in a
 * window gets the gradient, as in PyTorch.
 * @throws SHAPE for other ranks, and for windows that do not fit.
 * @example
 * ```ts
 * const y = maxPool2d(tape.input("x", [4, 56, 56, 3])); // [4, 28, 28, 3]
 * ```
 */
export const maxPool2d = (x: Tensor, options?: MaxPool2dOptions): Tensor => recordMaxPool2d(differentiable, x, options);

/** The same without the chain rule, for inference. */
export const plainMaxPool2d: typeof maxPool2d = (x, options) => recordMaxPool2d(maxPool2dOperation, x, options);

function recordMaxPool2d(operation: Operation<Windows>, x: Tensor, options: MaxPool2dOptions = {}): Tensor {
  const tape = tapeOf("maxPool2d", x);
  checkOptions("maxPool2d", options, { size: 1, stride: 1, padding: 1 });
  const { size = 2, stride = size, padding = "valid" } = options;
  const [batch, height, width, channels] = image("maxPool2d", x);
  const [y, columns] = windows("maxPool2d", [height, width], size, stride, padding);
  return tape.recordAll(operation, [x], { y, x: columns }, poolOutputs([batch, y.output, columns.output, channels]))[0];
}

/** The maxima, and their positions in x, which only the gradient needs. */
export const poolOutputs = (shape: readonly number[]) => [{ shape }, { shape, name: "argmax", dtype: "u32" as const }];

/** Uses the portable kernel only, for the same reason as conv2d's plain operation. */
export const maxPool2dOperation: Operation<Windows> = {
  name: "maxPool2d",
  lower({ inputs: [x], outputs: [output], options }, to) {
    launchPortableMaxPool2d(to, options, x, output);
  },
};

const differentiable = /* @__PURE__ */ withGradient(maxPool2dOperation, {
  lower({ inputs: [x], outputs: [output, argmax], options }, to) {
    launchMaxPool2d(to, options, x, output, to.isRead(argmax) ? argmax : undefined);
  },
  rules: [biasUnderMaxPool],
  gradient: ({ inputs: [x], outputs: [, argmax], options }, gradient) => [
    maxPool2dGradient(options, x.shape, argmax, gradient),
  ],
});
