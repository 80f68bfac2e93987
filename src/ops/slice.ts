import backwardShader from "../../shaders/slice.backward.wgsl";
import forwardShader from "../../shaders/slice.forward.wgsl";
import { ShapeError } from "../errors.ts";
import type { Operation } from "../tape/graph.ts";
import { threads } from "../tape/lowering/grid.ts";
import { tapeOf } from "../tape/tape.ts";
import { describe, type Tensor } from "../tape/tensor.ts";

/**
 * Rows start .. start + count of the first axis: [B, ...] -> [count, ...].
 * @throws SHAPE for rows out of range.
 * @example
 * ```ts
 * const left = slice(tape.input("stack", [8, 128]), 0, 4); // [4, 128]
 * ```
 */
export function slice(x: Tensor, start: number, count: number): Tensor {
  const tape = tapeOf("slice", x);
  const [rows, ...rest] = x.shape;
  if (!(Number.isInteger(start) && Number.isInteger(count) && start >= 0 && count > 0 && start + count <= rows)) {
    throw new ShapeError("slice", `rows ${start} to ${start + count} of ${describe(x.shape)}; expected 0 to ${rows}.`);
  }
  return tape.record(operation, [x], { offset: (x.size / rows) * start }, [count, ...rest]);
}

/** Index of the first element taken. */
interface Options {
  readonly offset: number;
}

const operation: Operation<Options> = {
  name: "slice",
  gradient: ({ inputs: [x], options }, gradient) => [
    gradient.tape.record(gradientOperation, [gradient], options, x.shape),
  ],
  lower({ inputs: [x], outputs: [output], options: { offset: OFFSET } }, to) {
    const { groups, constants } = threads(output.size);
    to.launch(forwardShader, { x, output }, { ...constants, OFFSET }, groups);
  },
};

const gradientOperation: Operation<Options> = {
  name: "slice gradient",
  lower({ inputs: [gradient], outputs: [input_gradient], options: { offset: OFFSET } }, to) {
    const { groups, constants } = threads(input_gradient.size);
    const TAKEN = gradient.size;
    to.launch(backwardShader, { gradient, input_gradient }, { ...constants, OFFSET, TAKEN }, groups);
  },
};
