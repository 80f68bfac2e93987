// Finds blocks in a graph: batchNorm(maxPool2d(conv2d(x))) in the form that the fused kernels compute.
import type { Graph, Node } from "../../tape/graph.ts";
import { conv2dOperation } from "../conv2d.ts";
import type { Convolution } from "../kernels/convolutionShape.ts";
import { maxPool2dOperation } from "../maxPool2d.ts";
import { type BlockShape, blockShape, type Normalization } from "./blockShape.ts";

export interface BlockPattern {
  readonly conv: Node<Convolution>;
  readonly pool: Node;
  readonly shape: BlockShape;
}

/** 3 x 3 filters with stride 1 and SAME padding, 2 x 2 windows, filters a multiple of 4. */
export function blockPattern(norm: Node, graph: Graph): BlockPattern | undefined {
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
  const { groups, activation } = norm.options as Normalization;
  const images = [batch, convolution.y.input, convolution.x.input] as const;
  const options = { group: batch / groups, relu: activation === "relu" };
  return { conv, pool: pool as Node, shape: blockShape(images, [3, 3, channels, filters], options) };
}
