import type { Rule } from "../../tape/rewrite.ts";
import { reluOperation } from "../relu.ts";
import { sigmoidOperation } from "../sigmoid.ts";

/** For a dense layer and the activation that reads it. */
export const denseActivation: Rule = {
  name: "dense + activation",
  saves: "A dispatch, and the values before the activation: the matrix product applies it before storing.",
  match(layer, graph) {
    const next = graph.soleReader(layer.outputs[0]);
    const activation = next && activations.get(next.operation);
    if (!activation || (layer.options as { activation?: string }).activation) return undefined;
    return { nodes: [layer, next], by: [{ ...layer, options: { activation }, outputs: next.outputs }] };
  },
};

const activations = new Map<unknown, "relu" | "sigmoid">([
  [reluOperation, "relu"],
  [sigmoidOperation, "sigmoid"],
]);
