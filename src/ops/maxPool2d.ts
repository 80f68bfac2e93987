import backwardShader from "../../shaders/maxPool2d.backward.wgsl";
import forwardShader from "../../shaders/maxPool2d.forward.wgsl";
import { threads } from "../tape/grid.ts";
import { tapeOf } from "../tape/tape.ts";
import type { Tensor } from "../tape/tensor.ts";
import { type Extent, image, type Padding, windows } from "./windows.ts";

export interface MaxPool2dOptions {
  /** Window, rows and columns; 2 by default. */
  readonly size?: Extent;
  /** Step between windows; the size by default. */
  readonly stride?: Extent;
  readonly padding?: Padding;
}

/**
 * The maximum of each window: [B, H, W, C] -> [B, H', W', C]. The first maximum in row-major order takes the gradient;
 * where it was is kept from the forward pass.
 */
export function maxPool2d(x: Tensor, options: MaxPool2dOptions = {}): Tensor {
  const tape = tapeOf("maxPool2d", x);
  const { size = 2, stride = size, padding = "valid" } = options;
  const [batch, height, width, channels] = image("maxPool2d", x);
  const [y, x_] = windows("maxPool2d", [height, width], size, stride, padding);

  const output = tape.temporary("max-pool", [batch, y.output, x_.output, channels]);
  const argmax = tape.temporary("argmax", output.shape, "u32");
  const shape = {
    ...{ HEIGHT: height, WIDTH: width, CHANNELS: channels, OUTPUT_HEIGHT: y.output, OUTPUT_WIDTH: x_.output },
    ...{ SIZE_Y: y.size, SIZE_X: x_.size, STRIDE_Y: y.stride, STRIDE_X: x_.stride, PAD_Y: y.before, PAD_X: x_.before },
  };
  const forward = threads(output.size);
  tape.launch(forwardShader, { x, output, argmax }, { ...forward.constants, ...shape }, forward.groups);

  return tape.record("maxPool2d", [x], output, (gradient) => {
    const input_gradient = tape.temporary("max-pool gradient", x.shape);
    const { groups, constants } = threads(x.size);
    tape.launch(backwardShader, { argmax, gradient, input_gradient }, { ...constants, ...shape }, groups);
    return [input_gradient];
  });
}
