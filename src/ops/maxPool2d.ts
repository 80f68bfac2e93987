import gatherShader from "../../shaders/maxPool2d.backward.gather.wgsl";
import scatterShader from "../../shaders/maxPool2d.backward.scatter.wgsl";
import forwardShader from "../../shaders/maxPool2d.forward.wgsl";
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
  const [row, column] = windows("maxPool2d", [height, width], size, stride, padding);

  const output = tape.temporary("max-pool", [batch, row.output, column.output, channels]);
  const argmax = tape.temporary("argmax", output.shape, "u32");
  const shape = {
    ...{ HEIGHT: height, WIDTH: width, CHANNELS: channels, OUTPUT_HEIGHT: row.output, OUTPUT_WIDTH: column.output },
    ...{
      SIZE_Y: row.size,
      SIZE_X: column.size,
      STRIDE_Y: row.stride,
      STRIDE_X: column.stride,
      PAD_Y: row.before,
      PAD_X: column.before,
    },
  };
  const grid = (columns: number, rows: number) => [Math.ceil((columns * channels) / 64), rows, batch] as const;
  tape.launch(forwardShader, { x, output, argmax }, shape, grid(column.output, row.output));

  return tape.record("maxPool2d", [x], output, (gradient) => {
    const input_gradient = tape.temporary("max-pool gradient", x.shape);
    input_gradient.spreadFrom = gradient;
    const bindings = { argmax, gradient, input_gradient };
    const apart = row.stride >= row.size && column.stride >= column.size;
    if (apart) tape.launch(scatterShader, bindings, shape, grid(column.output, row.output));
    else tape.launch(gatherShader, bindings, shape, grid(width, height));
    return [input_gradient];
  });
}
