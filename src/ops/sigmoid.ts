import backwardShader from "../../shaders/sigmoid.backward.wgsl";
import forwardShader from "../../shaders/sigmoid.forward.wgsl";
import { vec4Threads } from "../tape/grid.ts";
import { tapeOf } from "../tape/tape.ts";
import type { Tensor } from "../tape/tensor.ts";

/** 1 / (1 + exp(-x)), element by element. */
export function sigmoid(x: Tensor): Tensor {
  const tape = tapeOf("sigmoid", x);
  const output = tape.temporary("sigmoid", x.shape);
  const { groups, constants } = vec4Threads(x.size);
  tape.launch(forwardShader, { x, output }, constants, groups);

  return tape.record("sigmoid", [x], output, (gradient) => {
    const input_gradient = tape.temporary("sigmoid gradient", x.shape);
    tape.launch(backwardShader, { output, gradient, input_gradient }, constants, groups);
    return [input_gradient];
  });
}
