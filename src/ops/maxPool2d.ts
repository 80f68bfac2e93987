import { checkOptions } from "../options.ts";
import type { Operation } from "../tape/graph.ts";
import { tapeOf } from "../tape/tape.ts";
import type { Tensor } from "../tape/tensor.ts";
import { biasUnderMaxPool } from "./fused/biasUnderMaxPool.ts";
import { launchMaxPool2d, maxPool2dGradient, type Windows } from "./kernels/maxPool.ts";
import { type Extent, image, type Padding, windows } from "./kernels/windowShape.ts";

export interface MaxPool2dOptions {
  /** Window, rows and columns; 2 by default. */
  readonly size?: Extent;
  /** Step between windows; the size by default. */
  readonly stride?: Extent;
  readonly padding?: Padding;
}

/**
 * The maximum of each window: [B, H, W, C] -> [B, H', W', C]. The first maximum in row-major order takes the gradient;
 * where it was is kept from the forward pass once a gradient is asked for. NaN is the largest, and of several in a window the
 * last takes the gradient, as in PyTorch.
 */
export function maxPool2d(x: Tensor, options: MaxPool2dOptions = {}): Tensor {
  const tape = tapeOf("maxPool2d", x);
  checkOptions("maxPool2d", options, { size: 1, stride: 1, padding: 1 });
  const { size = 2, stride = size, padding = "valid" } = options;
  const [batch, height, width, channels] = image("maxPool2d", x);
  const [y, columns] = windows("maxPool2d", [height, width], size, stride, padding);
  return tape.recordAll(
    maxPool2dOperation,
    [x],
    { y, x: columns },
    poolOutputs([batch, y.output, columns.output, channels]),
  )[0];
}

/** The maxima, and where in x each of them was: of interest to the gradient alone. */
export const poolOutputs = (shape: readonly number[]) => [{ shape }, { shape, name: "argmax", dtype: "u32" as const }];

export const maxPool2dOperation: Operation<Windows> = {
  name: "maxPool2d",
  rules: [biasUnderMaxPool],
  gradient: ({ inputs: [x], outputs: [, argmax], options }, gradient) => [
    maxPool2dGradient(options, x.shape, argmax, gradient),
  ],
  lower({ inputs: [x], outputs: [output, argmax], options }, to) {
    launchMaxPool2d(to, options, x, output, to.isRead(argmax) ? argmax : undefined);
  },
};
