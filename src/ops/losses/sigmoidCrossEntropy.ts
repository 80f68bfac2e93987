import backwardShader from "../../../shaders/sigmoidCrossEntropy.backward.wgsl";
import forwardShader from "../../../shaders/sigmoidCrossEntropy.forward.wgsl";
import { ShapeError } from "../../errors.ts";
import type { Operation } from "../../tape/graph.ts";
import { threads } from "../../tape/lowering/grid.ts";
import { tapeOf } from "../../tape/tape.ts";
import { describe, type Tensor } from "../../tape/tensor.ts";

/**
 * Mean over the batch of max(z, 0) - z y + log(1 + exp(-|z|)), a scalar. Logits are [B] or [B, 1], labels in [0, 1]
 * as many; labels get no gradient.
 * @throws SHAPE where there is not one label for each logit.
 * @example
 * ```ts
 * const loss = sigmoidCrossEntropy(tape.input("logits", [8, 1]), tape.input("labels", [8]));
 * ```
 */
export function sigmoidCrossEntropy(logits: Tensor, labels: Tensor): Tensor {
  const tape = tapeOf("sigmoidCrossEntropy", logits, labels);
  if (logits.size !== labels.size) {
    const shapes = `logits ${describe(logits.shape)} and labels ${describe(labels.shape)}`;
    throw new ShapeError("sigmoidCrossEntropy", `${shapes}; expected one label for each logit.`);
  }
  return tape.record(sigmoidCrossEntropyOperation, [logits, labels], undefined, []);
}

export const sigmoidCrossEntropyOperation: Operation<undefined> = {
  name: "sigmoidCrossEntropy",
  gradient: ({ inputs: [logits, labels] }, gradient) => [
    gradient.tape.record(gradientOperation, [logits, labels, gradient], undefined, logits.shape),
  ],
  lower({ inputs: [logits, labels], outputs: [output] }, to) {
    to.launch(forwardShader, { logits, labels, output }, { COUNT: logits.size }, [1]);
  },
};

const gradientOperation: Operation<undefined> = {
  name: "sigmoidCrossEntropy gradient",
  lower({ inputs: [logits, labels, gradient], outputs: [input_gradient] }, to) {
    const { groups, constants } = threads(logits.size);
    to.launch(backwardShader, { logits, labels, gradient, input_gradient }, constants, groups);
  },
};
