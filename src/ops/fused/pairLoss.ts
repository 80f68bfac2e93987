// The head of the Siamese network with its loss as one operation: sigmoidCrossEntropy(dense(absDifference(stack))). If
// a gradient is wanted, one dispatch computes each pair forward and backward, and one more sums over the pairs.
import differenceShader from "../../../shaders/absDifference.forward.wgsl";
import forwardShader from "../../../shaders/pairLoss.forward.wgsl";
import sumsShader from "../../../shaders/pairLoss.sums.wgsl";
import lossShader from "../../../shaders/sigmoidCrossEntropy.forward.wgsl";
import { ancestors, computes, type Node, type Operation } from "../../tape/graph.ts";
import type { Lowering } from "../../tape/lower.ts";
import { summing, threads } from "../../tape/lowering/grid.ts";
import type { Rule } from "../../tape/rewrite.ts";
import type { Tensor } from "../../tape/tensor.ts";
import { denseInputGradient, denseKernelGradient, denseOperation } from "../dense.ts";
import { launchRoundedProduct } from "../kernels/halfProduct.ts";
import { sigmoidCrossEntropyOperation } from "../losses/sigmoidCrossEntropy.ts";

/** For absDifference of one stack, and the operations that read it. */
export const pairLoss: Rule = {
  name: "pair loss: absDifference + dense + sigmoidCrossEntropy",
  saves: "Six dispatches of a training step, and their intermediate results.",
  match(difference, graph) {
    const head = graph.soleReader(difference.outputs[0]);
    const loss = head && graph.soleReader(head.outputs[0]);
    if (!head || !computes(head.operation, denseOperation) || loss?.operation !== sigmoidCrossEntropyOperation)
      return undefined;
    const [logits, labels] = loss.inputs;
    const options = head.options as { readonly activation?: string };
    const single = logits.shape[1] === 1 && !options.activation;
    if (difference.inputs.length !== 1 || head.inputs.length !== 3 || !single) return undefined;
    const [, kernel, bias] = head.inputs;
    const inputs = [difference.inputs[0], kernel, bias, labels];
    return {
      nodes: [difference, head, loss],
      by: [{ operation: pairLossOperation, inputs, options: {}, outputs: loss.outputs }],
    };
  },
};

export const embeddingIntoPairLoss: Rule = {
  name: "pair loss after a sigmoid layer",
  saves: "Two dispatches: the same pass applies the sigmoid's gradient and sums the layer's bias gradient.",
  match(loss, graph) {
    const [stack, ...head] = loss.inputs;
    const layer = loss.outputs.length === 1 ? graph.soleMaker(denseOperation, stack) : undefined; // one layer, not two
    if (layer?.options.activation !== "sigmoid" || layer.inputs.length !== 3) return undefined;
    return {
      nodes: [layer, loss],
      by: [{ ...loss, inputs: [...layer.inputs, ...head], outputs: [...loss.outputs, stack] }],
    };
  },
};

/**
 * Inputs: embeddings [2 B, D], then the head's kernel [D, 1] and bias [1], then labels [B]. Instead of the embeddings
 * it may take x, kernel and bias of the layer that computes them; the embeddings are then the second output.
 */
const pairLossOperation: Operation<unknown> = {
  name: "pairLoss",
  rules: [embeddingIntoPairLoss],
  gradient({ inputs, outputs }, gradient, wanted) {
    const [kernel, bias, labels] = inputs.slice(-3);
    const layer = inputs.length > 4 ? inputs.slice(0, 3) : undefined;
    const stack = layer ? outputs[1] : inputs[0];
    const [ofStack, ofKernel, ofBias, rowSums] = gradient.tape.recordAll(
      gradientOperation,
      [stack, kernel, bias, labels, gradient],
      { loss: outputs[0], sigmoid: layer !== undefined },
      [
        { shape: stack.shape, name: "embedding gradient" },
        { shape: kernel.shape, name: "kernel gradient" },
        { shape: bias.shape, name: "bias gradient" },
        { shape: [kernel.size], name: "bias gradient" },
        { shape: [], name: "cross-entropy" },
      ],
    );
    if (!layer) return [ofStack, ofKernel, ofBias];
    const [x, weights] = layer;
    return [
      wanted[0] ? denseInputGradient(x, weights, ofStack) : undefined,
      wanted[1] ? denseKernelGradient(x, weights, ofStack) : undefined,
      rowSums,
      ofKernel,
      ofBias,
    ];
  },
  lower({ inputs, outputs: [loss, embeddings] }, to) {
    const [head, bias, labels] = inputs.slice(-3);
    let stack = inputs[0];
    if (embeddings) {
      const [x, kernel, bias] = inputs;
      const [rows, outputs] = embeddings.shape;
      const product = { batch: 1, rows, inputs: x.shape[1], outputs };
      launchRoundedProduct(to, product, { x, kernel, bias, output: embeddings }, "sigmoid");
      stack = embeddings;
    }
    if (to.isRead(loss)) launchLoss(to, { stack, kernel: head, bias, labels, loss });
  },
};

/** The loss alone, if no gradient is wanted. */
function launchLoss(to: Lowering, tensors: Record<"stack" | "kernel" | "bias" | "labels" | "loss", Tensor>): void {
  const { stack, kernel, bias, labels, loss } = tensors;
  const PAIRS = labels.size;
  const LENGTH = kernel.size;
  const difference = to.temporary("difference", [PAIRS, LENGTH]);
  const { groups, constants } = threads(difference.size);
  const halves = { a: stack, b: stack, output: difference };
  to.launch(differenceShader, halves, { ...constants, B_OFFSET: difference.size }, groups);
  const logits = to.temporary("logits", [PAIRS, 1]);
  const product = { batch: 1, rows: PAIRS, inputs: LENGTH, outputs: 1 };
  launchRoundedProduct(to, product, { x: difference, kernel, bias, output: logits });
  to.launch(lossShader, { logits, labels, output: loss }, { COUNT: PAIRS }, [1]);
}

export const lossInGradientPass: Rule = {
  name: "loss from the gradient's pass",
  saves: "Three dispatches: the pass that computes the gradient computes the loss too.",
  graph: "differentiated",
  match(node, graph) {
    const { loss } = node.options as GradientOptions;
    const forward = graph.maker(pairLossOperation, loss);
    const already = node.outputs[4] === loss;
    if (!forward || already || dependsOn(graph.nodes, node, forward, loss)) return undefined;
    const unread = node.outputs[4];
    const { outputs } = forward;
    return {
      nodes: [forward, node],
      by: [
        { ...forward, outputs: [unread, ...outputs.slice(1)] } as Node,
        { ...node, outputs: [...node.outputs.slice(0, 4), loss] },
      ],
    };
  },
};

/** Whether the node depends on the loss, for example if the loss is squared and then differentiated. */
function dependsOn(nodes: readonly Node[], node: Node, forward: Node, loss: Tensor): boolean {
  if (node.inputs.includes(loss)) return true;
  return [...ancestors(nodes, node.inputs)].some((other) => other !== forward && other.inputs.includes(loss));
}

interface GradientOptions {
  readonly loss: Tensor;
  /** Whether the embeddings are sigmoids; the gradient then goes through them too. */
  readonly sigmoid: boolean;
}

/** Outputs: the gradients of embeddings, kernel and bias, the column sums of the first, and the loss. */
const gradientOperation: Operation<GradientOptions> = {
  name: "pairLoss gradient",
  rules: [lossInGradientPass],
  lower({ inputs, outputs, options: { sigmoid } }, to) {
    const [embeddings, kernel, bias, labels, gradient] = inputs;
    const [embedding_gradient, kernel_gradient, bias_gradient, row_sums, output] = outputs;
    const PAIRS = labels.size;
    const LENGTH = kernel.size;
    const terms = to.temporary("loss terms", [PAIRS, 2]);
    to.launch(
      forwardShader,
      { embeddings, kernel, bias, labels, gradient, terms, embedding_gradient },
      { PAIRS, LENGTH, SIGMOID: sigmoid ? 1 : 0 },
      [PAIRS],
      summing(to),
    );
    const sums = { kernel_gradient, bias_gradient, row_sums, output };
    const groups = [Math.ceil(LENGTH / 64)] as const;
    to.launch(sumsShader, { embeddings, terms, embedding_gradient, ...sums }, { PAIRS, LENGTH }, groups);
  },
};
