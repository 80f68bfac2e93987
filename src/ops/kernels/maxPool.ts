// The launches of a max-pool and of its gradient.
import argmaxShader from "../../../shaders/gpu/maxPool2d.argmax.wgsl";
import scatterShader from "../../../shaders/gpu/maxPool2d.backward.scatter.wgsl";
import valuesShader from "../../../shaders/gpu/maxPool2d.values.wgsl";
import gatherShader from "../../../shaders/maxPool2d.backward.gather.wgsl";
import forwardShader from "../../../shaders/maxPool2d.forward.wgsl";
import type { Operation } from "../../tape/graph.ts";
import type { Lowering } from "../../tape/lower.ts";
import { choose, keyOf } from "../../tape/lowering/choose.ts";
import type { Tensor } from "../../tape/tensor.ts";
import type { Axis } from "./windowShape.ts";

export interface Windows {
  readonly y: Axis;
  readonly x: Axis;
}

const keyFor = (pass: string, { y, x }: Windows, [batch, height, width, channels]: readonly number[], more = {}) => {
  const extents = (axis: Axis) => [axis.output, axis.size, axis.stride, axis.before];
  return keyOf(`maxPool2d.${pass}`, {
    x: [batch, height, width, channels],
    rows: extents(y),
    columns: extents(x),
    ...more,
  });
};

/** @param argmax where to write the positions of the maxima, if they are needed. */
export function launchMaxPool2d(to: Lowering, options: Windows, x: Tensor, output: Tensor, argmax?: Tensor): void {
  const [batch, height, width, channels] = x.shape;
  const { y, x: columns } = options;
  const inside = (axis: Axis, n: number) => axis.size === 2 && (axis.output - 1) * axis.stride + 2 <= n;
  choose(to, keyFor("forward", options, x.shape, { argmax: argmax ? 1 : 0 }), {
    vec4: {
      fits: inside(y, height) && inside(columns, width) && channels % 4 === 0,
      launch() {
        const { SIZE_Y, SIZE_X, PAD_Y, PAD_X, ...sizes } = shapeOf(options, x.shape);
        const vec4s = { ...sizes, CHANNELS: channels / 4 };
        const grid = [Math.ceil((columns.output * channels) / 256), y.output, batch] as const;
        if (argmax) to.launch(argmaxShader, { x, output, argmax }, vec4s, grid);
        else to.launch(valuesShader, { x, output }, vec4s, grid);
      },
    },
    single: { portable: true, launch: () => launchPortableMaxPool2d(to, options, x, output, argmax) },
  });
}

export function launchPortableMaxPool2d(
  to: Lowering,
  options: Windows,
  x: Tensor,
  output: Tensor,
  argmax: Tensor = to.temporary("argmax", output.shape, "u32"),
): void {
  const [batch, , , channels] = x.shape;
  const grid = [Math.ceil((options.x.output * channels) / 64), options.y.output, batch] as const;
  to.launch(forwardShader, { x, output, argmax }, shapeOf(options, x.shape), grid);
}

const shapeOf = ({ y, x }: Windows, [, HEIGHT, WIDTH, CHANNELS]: readonly number[]) => ({
  HEIGHT,
  WIDTH,
  CHANNELS,
  OUTPUT_HEIGHT: y.output,
  OUTPUT_WIDTH: x.output,
  STRIDE_Y: y.stride,
  STRIDE_X: x.stride,
  SIZE_Y: y.size,
  SIZE_X: x.size,
  PAD_Y: y.before,
  PAD_X: x.before,
});

/** The gradient of x, in the given shape: each output's gradient at the position of its maximum, zero elsewhere. */
export function maxPool2dGradient(
  options: Windows,
  shape: readonly number[],
  argmax: Tensor,
  gradient: Tensor,
): Tensor {
  return gradient.tape.record(gradientOperation, [argmax, gradient], options, shape);
}

const gradientOperation: Operation<Windows> = {
  name: "maxPool2d gradient",
  lower({ inputs: [argmax, gradient], outputs: [input_gradient], options }, to) {
    const { y, x } = options;
    const [batch, height, width, channels] = input_gradient.shape;
    to.storage(argmax).below = y.size * x.size;
    const bindings = { argmax, gradient, input_gradient };
    const shape = shapeOf(options, input_gradient.shape);
    const grid = (columns: number, rows: number) => [Math.ceil((columns * channels) / 64), rows, batch] as const;
    choose(to, keyFor("gradient", options, input_gradient.shape), {
      scatter: {
        fits: y.stride >= y.size && x.stride >= x.size,
        launch: () => to.launch(scatterShader, bindings, shape, grid(x.output, y.output)),
      },
      gather: { portable: true, launch: () => to.launch(gatherShader, bindings, shape, grid(width, height)) },
    });
  },
};
