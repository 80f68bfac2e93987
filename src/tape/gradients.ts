// Reverse-mode differentiation: walks the recorded operations backwards and lets each append its chain rule.
import addShader from "../../shaders/add.forward.wgsl";
import { ShapeError } from "../errors.ts";
import { vec4Threads } from "./grid.ts";
import type { Tape } from "./tape.ts";
import { describe, Tensor } from "./tensor.ts";

/**
 * Appends the backward operations and returns d output / d wrt[i], each of wrt[i]'s shape. A tensor that is used
 * several times gets the sum, added in the reverse order of use. `seed` is the gradient of the output itself; without
 * it the output must be a scalar and its gradient is 1.
 */
export function gradients(output: Tensor, wrt: readonly Tensor[], seed?: Tensor): Tensor[] {
  const { tape } = output;
  if (!seed && output.size !== 1) {
    throw new ShapeError(
      "gradients",
      `the output has shape ${describe(output.shape)}; expected a scalar, or an output gradient of that shape.`,
    );
  }
  if (seed && describe(seed.shape) !== describe(output.shape)) {
    throw new ShapeError(
      "gradients",
      `the output gradient has shape ${describe(seed.shape)}; expected ${describe(output.shape)}, the output's own.`,
    );
  }
  const forward = tape.nodes.slice(); // the backward rules launch, they do not record
  const needed = new Set<Tensor>(wrt);
  for (const node of forward) if (node.inputs.some((t) => needed.has(t))) needed.add(node.output);

  const one = () => tape.constant("one", output.shape, new Float32Array([1]));
  const gradient = new Map<Tensor, Tensor>([[output, seed ?? one()]]);
  for (const node of forward.reverse()) {
    const arriving = gradient.get(node.output);
    if (!arriving || !needed.has(node.output)) continue;
    const wanted = node.inputs.map((t) => needed.has(t));
    const leaving = node.backward(arriving, wanted);
    node.inputs.forEach((input, i) => {
      const contribution = leaving[i];
      if (!wanted[i] || !contribution) return;
      const soFar = gradient.get(input);
      gradient.set(input, soFar ? launchSum(tape, soFar, contribution) : contribution);
    });
  }
  return wrt.map((t) => {
    const found = gradient.get(t) ?? tape.constant(`zero ${t.name}`, t.shape, new Float32Array(t.size));
    return new Tensor(tape, t.shape, found.storage, `gradient of ${t.name}`);
  });
}

/** Launches a + b, without a chain rule: for gradients and what else stands behind the differentiated part. */
export function launchSum(tape: Tape, a: Tensor, b: Tensor): Tensor {
  const output = tape.temporary(a.name, a.shape);
  const { groups, constants } = vec4Threads(a.size);
  tape.launch(addShader, { a, b, output }, constants, groups);
  return output;
}
