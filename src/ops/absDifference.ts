import backwardShader from "../../shaders/absDifference.backward.wgsl";
import forwardShader from "../../shaders/absDifference.forward.wgsl";
import { ShapeError } from "../errors.ts";
import type { Operation } from "../tape/graph.ts";
import { threads } from "../tape/lowering/grid.ts";
import { tapeOf } from "../tape/tape.ts";
import { describe, type Tensor } from "../tape/tensor.ts";
import { sameShape } from "./add.ts";
import { pairLoss } from "./fused/pairLoss.ts";

/**
 * |a - b|, element by element. With one argument [2B, ...] it takes the first half of the stack as a and the second as
 * b and gives [B, ...]. The derivative at a = b is taken as 0.
 * @throws SHAPE where the shapes differ, or a stack cannot be halved.
 * @example
 * ```ts
 * const distance = absDifference(tape.input("a", [8, 128]), tape.input("b", [8, 128])); // [8, 128]
 * ```
 */
export function absDifference(a: Tensor, b?: Tensor): Tensor {
  const tape = tapeOf("absDifference", a, b);
  if (b) {
    sameShape("absDifference", a, b);
    return tape.record(absDifferenceOperation, [a, b], undefined, a.shape);
  }
  const [rows, ...rest] = a.shape;
  if (rows === undefined || rows % 2 !== 0) {
    throw new ShapeError("absDifference", `one stack of shape ${describe(a.shape)}; expected an even first axis.`);
  }
  return tape.record(absDifferenceOperation, [a], undefined, [rows / 2, ...rest]);
}

/** With one input, a and b are its halves. */
export const absDifferenceOperation: Operation<undefined> = {
  name: "absDifference",
  rules: [pairLoss],
  gradient({ inputs: [a, b] }, gradient, wanted) {
    const of = (sign: 1 | -1) =>
      gradient.tape.record(gradientOperation, [a, b ?? a, gradient], { sign, stacked: !b }, a.shape);
    return b ? [wanted[0] ? of(1) : undefined, wanted[1] ? of(-1) : undefined] : [of(1)];
  },
  lower({ inputs: [a, b], outputs: [output] }, to) {
    const { groups, constants } = threads(output.size);
    const B_OFFSET = b ? 0 : output.size;
    to.launch(forwardShader, { a, b: b ?? a, output }, { ...constants, B_OFFSET }, groups);
  },
};

/** The gradient of a, or with sign -1 of b; for a stack, of both. */
const gradientOperation: Operation<{ readonly sign: 1 | -1; readonly stacked: boolean }> = {
  name: "absDifference gradient",
  lower({ inputs: [a, b, gradient], outputs: [input_gradient], options: { sign: SIGN, stacked } }, to) {
    const { groups, constants } = threads(a.size);
    const sizes = { HALF: gradient.size, B_OFFSET: stacked ? gradient.size : 0 };
    to.launch(backwardShader, { a, b, gradient, input_gradient }, { ...constants, ...sizes, SIGN }, groups);
  },
};
