import backwardShader from "../../shaders/sigmoid.backward.wgsl";
import forwardShader from "../../shaders/sigmoid.forward.wgsl";
import type { Operation } from "../tape/graph.ts";
import { vec4Threads } from "../tape/lowering/grid.ts";
import { tapeOf } from "../tape/tape.ts";
import type { Tensor } from "../tape/tensor.ts";

/**
 * 1 / (1 + exp(-x)), element by element.
 * @example
 * ```ts
 * const y = sigmoid(tape.input("x", [4, 128]));
 * ```
 */
export function sigmoid(x: Tensor): Tensor {
  return tapeOf("sigmoid", x).record(sigmoidOperation, [x], undefined, x.shape);
}

export const sigmoidOperation: Operation<undefined> = {
  name: "sigmoid",
  gradient: ({ outputs: [output] }, gradient) => [sigmoidGradient(output, gradient)],
  lower({ inputs: [x], outputs: [output] }, to) {
    const { groups, constants } = vec4Threads(x.size);
    to.launch(forwardShader, { x, output }, constants, groups);
  },
};

/** The gradient of x, from the output and its gradient. */
export function sigmoidGradient(output: Tensor, gradient: Tensor): Tensor {
  return output.tape.record(gradientOperation, [output, gradient], undefined, output.shape);
}

const gradientOperation: Operation<undefined> = {
  name: "sigmoid gradient",
  lower({ inputs: [output, gradient], outputs: [input_gradient] }, to) {
    const { groups, constants } = vec4Threads(output.size);
    to.launch(backwardShader, { output, gradient, input_gradient }, constants, groups);
  },
};
