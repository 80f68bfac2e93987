// The rules that fuse a tower's block into one operation.
import type { Node } from "../../tape/graph.ts";
import type { Rule } from "../../tape/rewrite.ts";
import { reluOperation } from "../relu.ts";
import { type BlockOptions, blockOperation } from "./block.ts";
import { blockPattern } from "./blockPattern.ts";
import type { Normalization } from "./blockShape.ts";
import { type InferenceBlockOptions, inferenceBlockOperation } from "./inferenceBlock.ts";

export const block: Rule = {
  name: "block: conv2d + maxPool2d + batchNorm",
  saves:
    "Storing the convolution's output, its gradient and the normalized values: pooling and normalization happen in registers.",
  match(norm, graph) {
    const found = blockPattern(norm, graph);
    if (!found) return undefined;
    const { conv, pool, shape } = found;
    const [, ...normTensors] = norm.inputs;
    const options: BlockOptions = {
      normalization: norm.options as Normalization,
      bias: conv.inputs.length === 3,
      apart: [conv as Node, pool, norm],
      shape,
    };
    const inputs = [...conv.inputs, ...normTensors];
    const fused: Node<BlockOptions> = { operation: blockOperation, inputs, options, outputs: [norm.outputs[0]] };
    return { nodes: [conv as Node, pool, norm], by: [fused as Node] };
  },
};

export const inferenceBlock: Rule = {
  name: "inference block: conv2d + maxPool2d + batchNorm",
  saves:
    "Storing the convolution's output and the pooled values: they are pooled, normalized and rectified in registers, once, instead of at each read of the next block.",
  match(norm, graph) {
    const { training, epsilon } = norm.options as Normalization;
    if (training || graph.isDifferentiated || graph.isRead(norm.outputs[1])) return undefined;
    const found = blockPattern(norm, graph);
    if (!found) return undefined;
    const { conv, pool, shape } = found;
    const [, ...normTensors] = norm.inputs;
    const by: Node<InferenceBlockOptions> = {
      operation: inferenceBlockOperation,
      inputs: [...conv.inputs, ...normTensors],
      options: { shape, epsilon, bias: conv.inputs.length === 3 },
      outputs: [norm.outputs[0]],
    };
    return { nodes: [conv as Node, pool, norm], by: [by as Node] };
  },
};

export const reluIntoNorm: Rule = {
  name: "batchNorm + relu",
  saves: "A dispatch, and the values before the ReLU: it is applied to what batch-norm stores.",
  match(norm, graph) {
    const next = graph.soleReader(norm.outputs[0]);
    const options = norm.options as Normalization;
    if (next?.operation !== reluOperation || options.activation) return undefined;
    const outputs = [next.outputs[0], norm.outputs[1]];
    return { nodes: [norm, next], by: [{ ...norm, options: { ...options, activation: "relu" }, outputs }] };
  },
};

/** The rules of batch-norm, in the order of trial. */
export const blockRules: readonly Rule[] = [reluIntoNorm, inferenceBlock, block];
