// Reverse-mode differentiation: replaces each request for gradients by the operations that compute them, using the
// chain rules of the preceding operations.
import { TwingradError } from "../errors.ts";
import { ancestors, type Node, type Operation } from "./graph.ts";
import { addition } from "./sum.ts";
import type { Tensor } from "./tensor.ts";
import { view } from "./view.ts";

/** Inputs: the output, its gradient, then the tensors to differentiate by. */
export const gradientRequest: Operation<undefined> = {
  name: "gradients",
  differentiate: answer,
  lower() {
    throw new Error("Internal error: a request for gradients reached lowering; differentiate() must replace it.");
  },
};

function answer(request: Node<undefined>, before: readonly Node[]): Node[] {
  const [output, seed, ...wrt] = request.inputs;
  const path = ancestors(before, [output]);
  const forward = before.filter((node) => path.has(node));
  const needed = new Set<Tensor>(wrt);
  for (const node of forward) {
    if (node.inputs.some((t) => needed.has(t))) for (const made of node.outputs) needed.add(made);
  }
  const { tape } = output;
  const recorded = tape.aside(() => {
    const gradient = new Map<Tensor, Tensor>([[output, seed]]);
    for (const node of forward.reverse()) {
      const arriving = gradient.get(node.outputs[0]);
      const wanted = node.inputs.map((t) => needed.has(t));
      if (!arriving || !wanted.includes(true)) continue;
      const leaving = chainRule(node, arriving, wanted);
      node.inputs.forEach((input, i) => {
        const contribution = leaving[i];
        if (!wanted[i] || contribution === null) return;
        if (!contribution) {
          throw new TwingradError(
            "BAD_INPUT",
            `${node.operation.name}: it has no gradient with respect to "${input.name}".`,
          );
        }
        const soFar = gradient.get(input);
        gradient.set(input, soFar ? addition(soFar, contribution) : contribution);
      });
    }
    return wrt.map((t) => {
      const found = gradient.get(t) ?? tape.constant(`zero ${t.name}`, t.shape, new Float32Array(t.size));
      return view(found, t.shape);
    });
  });
  // The last operations produce the results: they get the tensors promised by the request.
  const names = recorded.nodes.slice(-wrt.length);
  return [
    ...recorded.nodes.slice(0, recorded.nodes.length - wrt.length),
    ...names.map((node, i) => ({ ...node, outputs: [request.outputs[i]] })),
  ];
}

function chainRule(node: Node, arriving: Tensor, wanted: readonly boolean[]): readonly (Tensor | undefined | null)[] {
  const { operation } = node;
  if (!operation.gradient) {
    const advice = "request gradients of tensors after it only";
    throw new TwingradError("BAD_INPUT", `${operation.name}: it has no gradient; ${advice}.`);
  }
  return operation.gradient(node, arriving, wanted);
}
