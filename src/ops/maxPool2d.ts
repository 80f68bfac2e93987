import argmaxShader from "../../shaders/maxPool2d.argmax.wgsl";
import gatherShader from "../../shaders/maxPool2d.backward.gather.wgsl";
import scatterShader from "../../shaders/maxPool2d.backward.scatter.wgsl";
import forwardShader from "../../shaders/maxPool2d.forward.wgsl";
import valuesShader from "../../shaders/maxPool2d.values.wgsl";
import { type Backward, type Launch, tapeOf } from "../tape/tape.ts";
import type { Tensor } from "../tape/tensor.ts";
import { type Axis, type Extent, image, type Padding, windows } from "./kernels/windowShape.ts";

export interface MaxPool2dOptions {
  /** Window, rows and columns; 2 by default. */
  readonly size?: Extent;
  /** Step between windows; the size by default. */
  readonly stride?: Extent;
  readonly padding?: Padding;
}

/**
 * The maximum of each window: [B, H, W, C] -> [B, H', W', C]. The first maximum in row-major order takes the gradient;
 * where it was is kept from the forward pass once a gradient is asked for.
 */
export function maxPool2d(x: Tensor, options: MaxPool2dOptions = {}): Tensor {
  const tape = tapeOf("maxPool2d", x);
  const { size = 2, stride = size, padding = "valid" } = options;
  const [batch, height, width, channels] = image("maxPool2d", x);
  const [row, column] = windows("maxPool2d", [height, width], size, stride, padding);

  const pooled = [batch, row.output, column.output, channels];
  const argmax = tape.temporary("argmax", pooled, "u32");
  const sizes = {
    HEIGHT: height,
    WIDTH: width,
    CHANNELS: channels,
    OUTPUT_HEIGHT: row.output,
    OUTPUT_WIDTH: column.output,
    STRIDE_Y: row.stride,
    STRIDE_X: column.stride,
  };
  const shape = { ...sizes, SIZE_Y: row.size, SIZE_X: column.size, PAD_Y: row.before, PAD_X: column.before };
  const grid = (columns: number, rows: number) => [Math.ceil((columns * channels) / 64), rows, batch] as const;
  const inside = (axis: Axis, n: number) => axis.size === 2 && (axis.output - 1) * axis.stride + 2 <= n;
  const plain = inside(row, height) && inside(column, width) && channels % 4 === 0;
  const vec4s = { ...sizes, CHANNELS: channels / 4 };
  const plainGrid = [Math.ceil((column.output * channels) / 256), row.output, batch] as const;
  let forward: Launch | undefined;
  const output = tape.deferred("max-pool", pooled, (storage) => {
    forward = plain
      ? tape.launch(valuesShader, { x, output: storage }, vec4s, plainGrid)
      : tape.launch(forwardShader, { x, output: storage, argmax }, shape, grid(column.output, row.output));
  });

  const backward: Backward = (gradient) => {
    const { storage } = output; // where the maxima are comes from the forward pass
    if (forward?.shader === valuesShader) {
      tape.replace(forward, () => {
        forward = tape.launch(argmaxShader, { x, output: storage, argmax }, vec4s, plainGrid);
        return forward;
      });
    }
    const input_gradient = tape.temporary("max-pool gradient", x.shape);
    input_gradient.spreadFrom = gradient;
    const bindings = { argmax, gradient, input_gradient };
    const apart = row.stride >= row.size && column.stride >= column.size;
    if (apart) tape.launch(scatterShader, bindings, shape, grid(column.output, row.output));
    else tape.launch(gatherShader, bindings, shape, grid(width, height));
    return [input_gradient];
  };
  return tape.record("maxPool2d", [x], output, backward, { row, column });
}
