import backwardShader from "../../shaders/relu.backward.wgsl";
import forwardShader from "../../shaders/relu.forward.wgsl";
import type { Operation } from "../tape/graph.ts";
import { vec4Threads } from "../tape/lowering/grid.ts";
import { tapeOf } from "../tape/tape.ts";
import type { Tensor } from "../tape/tensor.ts";

/**
 * max(x, 0), element by element. Its derivative at 0 is taken as 0; NaN gives NaN and passes the gradient, as in
 * PyTorch.
 * @example
 * ```ts
 * const y = relu(tape.input("x", [4, 128]));
 * ```
 */
export function relu(x: Tensor): Tensor {
  return tapeOf("relu", x).record(reluOperation, [x], undefined, x.shape);
}

export const reluOperation: Operation<undefined> = {
  name: "relu",
  gradient: ({ outputs: [output] }, gradient) => [reluGradient(output, gradient)],
  lower({ inputs: [x], outputs: [output] }, to) {
    const { groups, constants } = vec4Threads(x.size);
    to.launch(forwardShader, { x, output }, constants, groups);
  },
};

/** The gradient of x, from the output and its gradient. */
export function reluGradient(output: Tensor, gradient: Tensor): Tensor {
  return output.tape.record(gradientOperation, [output, gradient], undefined, output.shape);
}

const gradientOperation: Operation<undefined> = {
  name: "relu gradient",
  lower({ inputs: [output, gradient], outputs: [input_gradient] }, to) {
    const { groups, constants } = vec4Threads(output.size);
    to.launch(backwardShader, { output, gradient, input_gradient }, constants, groups);
  },
};
