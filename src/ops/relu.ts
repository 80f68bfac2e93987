import backwardShader from "../../shaders/relu.backward.wgsl";
import forwardShader from "../../shaders/relu.forward.wgsl";
import { vec4Threads } from "../tape/grid.ts";
import { tapeOf } from "../tape/tape.ts";
import type { Tensor } from "../tape/tensor.ts";

/** max(x, 0), element by element. Its derivative at 0 is taken as 0. */
export function relu(x: Tensor): Tensor {
  const tape = tapeOf("relu", x);
  const output = tape.temporary("relu", x.shape);
  const { groups, constants } = vec4Threads(x.size);
  tape.launch(forwardShader, { x, output }, constants, groups);

  return tape.record("relu", [x], output, (gradient) => {
    const input_gradient = tape.temporary("relu gradient", x.shape);
    tape.launch(backwardShader, { output, gradient, input_gradient }, constants, groups);
    return [input_gradient];
  });
}
