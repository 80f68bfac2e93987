// a + b, which the tape itself needs: the gradient of a tensor with two uses is a sum.
import shader from "../../shaders/add.forward.wgsl";
import type { Operation } from "./graph.ts";
import type { Lowering } from "./lower.ts";
import { vec4Threads } from "./lowering/grid.ts";
import type { Tensor } from "./tensor.ts";

export const additionOperation: Operation<undefined> = {
  name: "add",
  gradient: (_, gradient) => [gradient, gradient],
  lower({ inputs: [a, b], outputs: [output] }, to) {
    launchSum(to, a, b, output);
  },
};

/** a + b, of one shape. */
export function addition(a: Tensor, b: Tensor): Tensor {
  return a.tape.record(additionOperation, [a, b], undefined, a.shape);
}

export function launchSum(to: Lowering, a: Tensor, b: Tensor, output = to.temporary(a.name, a.shape)): Tensor {
  const { groups, constants } = vec4Threads(a.size);
  to.launch(shader, { a, b, output }, constants, groups);
  return output;
}
