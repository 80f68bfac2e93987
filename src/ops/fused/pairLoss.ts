// The head of the Siamese network with its loss as one operation: sigmoidCrossEntropy(dense(absDifference(stack))). Where a
// gradient is wanted, one launch goes over the pairs forward and backward, and one more adds up over them.

import forwardShader from "../../../shaders/pairLoss.forward.wgsl";
import sumsShader from "../../../shaders/pairLoss.sums.wgsl";
import { Storage, Tensor } from "../../tape/tensor.ts";

/** What a dense layer with sigmoids need not compute, because what follows it has: by the gradient of its output. */
interface Through {
  /** Of the sums before the sigmoid. */
  readonly gradient: Tensor;
  /** Of the layer's bias. */
  readonly bias: Tensor;
}

export const throughSigmoid = new WeakMap<Tensor, Through>();

/** `launchLoss` computes the loss by itself, for those who want no gradient. Nothing where the logits come otherwise. */
export function fusePairLoss(
  logits: Tensor,
  labels: Tensor,
  launchLoss: (output: Storage) => void,
): Tensor | undefined {
  const { tape } = logits;
  const head = tape.madeBy("dense", logits);
  const difference = head && tape.madeBy("absDifference", head.inputs[0]);
  if (difference?.inputs.length !== 1 || head?.inputs.length !== 3 || logits.size !== labels.size) return;
  if (head.fusible !== undefined || logits.shape[1] !== 1) return; // an activation, or more than a logit
  const [stack] = difference.inputs;
  const [, kernel, bias] = head.inputs;
  const PAIRS = labels.size;
  const LENGTH = kernel.size;
  const activated = tape.madeBy("dense", stack)?.fusible === "sigmoid";

  let known: Storage | undefined; // the loss, where the backward pass has computed it on its way
  const loss = () => {
    known ??= launched(launchLoss);
    return known;
  };
  const output = new Tensor(tape, [], loss, "cross-entropy");

  return tape.record("pairLoss", [stack, kernel, bias, labels], output, (gradient) => {
    const pass = (SIGMOID: number) => {
      const terms = tape.temporary("loss terms", [PAIRS, 2]);
      const embedding_gradient = tape.temporary("embedding gradient", stack.shape);
      tape.launch(
        forwardShader,
        { embeddings: stack, kernel, bias, labels, gradient, terms, embedding_gradient },
        { PAIRS, LENGTH, SIGMOID },
        [PAIRS],
        { WORKGROUP: tape.device.adapter.software ? 4 : 64 },
      );
      return { terms, embedding_gradient };
    };
    const { terms, embedding_gradient } = pass(activated ? 1 : 0);
    const kernel_gradient = tape.temporary("kernel gradient", kernel.shape);
    const bias_gradient = tape.temporary("bias gradient", bias.shape);
    const row_sums = tape.temporary("bias gradient", [LENGTH]);
    const mean = new Storage("temporary", "cross-entropy", 1, "f32");
    known ??= mean;
    const sums = { kernel_gradient, bias_gradient, row_sums, output: mean };
    tape.launch(sumsShader, { embeddings: stack, terms, embedding_gradient, ...sums }, { PAIRS, LENGTH }, [
      Math.ceil(LENGTH / 64),
    ]);
    if (!activated) return [embedding_gradient, kernel_gradient, bias_gradient, undefined];
    // The layer behind the sigmoids takes what it needs of this; whoever else asks gets the gradient of their values.
    const apart = new Tensor(tape, stack.shape, () => pass(0).embedding_gradient.storage, "embedding gradient");
    throughSigmoid.set(apart, { gradient: embedding_gradient, bias: row_sums });
    return [apart, kernel_gradient, bias_gradient, undefined];
  });
}

function launched(launch: (output: Storage) => void): Storage {
  const storage = new Storage("temporary", "cross-entropy", 1, "f32");
  launch(storage);
  return storage;
}
