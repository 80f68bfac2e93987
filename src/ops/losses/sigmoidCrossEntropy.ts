import backwardShader from "../../../shaders/sigmoidCrossEntropy.backward.wgsl";
import forwardShader from "../../../shaders/sigmoidCrossEntropy.forward.wgsl";
import { ShapeError } from "../../errors.ts";
import { threads } from "../../tape/grid.ts";
import { tapeOf } from "../../tape/tape.ts";
import { describe, type Storage, type Tensor } from "../../tape/tensor.ts";
import { fusePairLoss } from "../fused/pairLoss.ts";

/**
 * Mean over the batch of max(z, 0) - z y + log(1 + exp(-|z|)), a scalar. Logits are [B] or [B, 1], labels in [0, 1]
 * as many; labels get no gradient.
 */
export function sigmoidCrossEntropy(logits: Tensor, labels: Tensor): Tensor {
  const tape = tapeOf("sigmoidCrossEntropy", logits, labels);
  if (logits.size !== labels.size) {
    const shapes = `logits ${describe(logits.shape)} and labels ${describe(labels.shape)}`;
    throw new ShapeError("sigmoidCrossEntropy", `${shapes}; expected one label for each logit.`);
  }
  const launch = (output: Storage) =>
    void tape.launch(forwardShader, { logits, labels, output }, { COUNT: logits.size }, [1]);
  const fused = fusePairLoss(logits, labels, launch);
  if (fused) return fused;
  const output = tape.deferred("cross-entropy", [], launch);

  return tape.record("sigmoidCrossEntropy", [logits, labels], output, (gradient) => {
    const input_gradient = tape.temporary("logit gradient", logits.shape);
    const { groups, constants } = threads(logits.size);
    tape.launch(backwardShader, { logits, labels, gradient, input_gradient }, constants, groups);
    return [input_gradient, undefined];
  });
}
