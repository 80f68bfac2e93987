// The rules that make one operation of a tower's block.
import type { Node } from "../../tape/graph.ts";
import type { Rule } from "../../tape/rewrite.ts";
import { conv2dOperation } from "../conv2d.ts";
import { maxPool2dOperation } from "../maxPool2d.ts";
import { reluOperation } from "../relu.ts";
import { type BlockOptions, blockOperation } from "./block.ts";
import type { Normalization } from "./blockShape.ts";

/** batchNorm(maxPool2d(conv2d(x))): 3 x 3 filters with stride 1 and SAME padding, 2 x 2 windows, filters a multiple of 4. */
export const block: Rule = {
  name: "block: conv2d + maxPool2d + batchNorm",
  saves:
    "Storing the convolution's output, its gradient and the normalized values: they are pooled, and normalized, in registers.",
  match(norm, graph) {
    const pool = graph.soleMaker(maxPool2dOperation, norm.inputs[0]);
    const conv = pool && graph.soleMaker(conv2dOperation, pool.inputs[0]);
    if (!conv) return undefined;
    const { y, x } = pool.options;
    const convolution = conv.options;
    const { batch, channels, filters } = convolution;
    const halves = [y, x].every((axis) => axis.size === 2 && axis.stride === 2 && axis.before === 0);
    const same = [convolution.y, convolution.x].every((a) => a.size === 3 && a.stride === 1 && a.output === a.input);
    const valid = y.output === convolution.y.output >> 1 && x.output === convolution.x.output >> 1;
    if (!halves || !same || !valid || filters % 4 !== 0) return undefined;
    const [, ...normTensors] = norm.inputs;
    const normalization = norm.options as Normalization;
    const options: BlockOptions = {
      normalization,
      bias: conv.inputs.length === 3,
      apart: [conv, pool, norm],
      shape: {
        images: batch,
        height: convolution.y.input,
        width: convolution.x.input,
        channels,
        filters,
        pooledY: y.output,
        pooledX: x.output,
        cellsY: Math.ceil(y.output / 2),
        cellsX: Math.ceil(x.output / 2),
        group: batch / normalization.groups,
        relu: normalization.activation === "relu",
      },
    };
    const inputs = [...conv.inputs, ...normTensors];
    const fused: Node<BlockOptions> = { operation: blockOperation, inputs, options, outputs: [norm.outputs[0]] };
    return { nodes: [conv, pool, norm], by: [fused as Node] };
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

/** Of batch-norm, in the order in which they are tried. */
export const blockRules: readonly Rule[] = [reluIntoNorm, block];
