import shader from "../../shaders/scale.forward.wgsl";
import { ShapeError } from "../errors.ts";
import type { Operation } from "../tape/graph.ts";
import { vec4Threads } from "../tape/lowering/grid.ts";
import { tapeOf } from "../tape/tape.ts";
import type { Tensor } from "../tape/tensor.ts";

/**
 * k x, element by element; k is a number.
 * @example
 * ```ts
 * const y = scale(tape.input("x", [4, 128]), 0.5);
 * ```
 */
export function scale(x: Tensor, k: number): Tensor {
  const tape = tapeOf("scale", x);
  if (!Number.isFinite(k)) throw new ShapeError("scale", `the factor is ${k}; expected a finite number.`);
  return tape.record(operation, [x], { factor: k }, x.shape);
}

const operation: Operation<{ readonly factor: number }> = {
  name: "scale",
  gradient: ({ options }, gradient) => [gradient.tape.record(operation, [gradient], options, gradient.shape)],
  lower({ inputs: [x], outputs: [output], options: { factor: FACTOR } }, to) {
    const { groups, constants } = vec4Threads(x.size);
    to.launch(shader, { x, output }, { ...constants, FACTOR }, groups);
  },
};
