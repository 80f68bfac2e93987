import type { Rule } from "../../tape/rewrite.ts";
import { scaleBytesOperation } from "../images/scaleBytes.ts";

/** For a block, with its chain rule or without. */
export const bytesInFirstLoad: Rule = {
  name: "bytes scaled in the first load",
  saves: "A dispatch, and the pictures as float32: the first block reads bytes, a quarter of the size.",
  match(node, graph) {
    const [x, ...others] = node.inputs;
    const scaled = graph.maker(scaleBytesOperation, x);
    if (!scaled || graph.isDifferentiatedBy(x)) return undefined;
    return { nodes: [node], by: [{ ...node, inputs: [scaled.inputs[0], ...others] }] };
  },
};
