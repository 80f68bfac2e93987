import backwardShader from "../../shaders/absDifference.backward.wgsl";
import forwardShader from "../../shaders/absDifference.forward.wgsl";
import { ShapeError } from "../errors.ts";
import { threads } from "../tape/grid.ts";
import { tapeOf } from "../tape/tape.ts";
import { describe, type Tensor } from "../tape/tensor.ts";
import { sameShape } from "./add.ts";

/**
 * |a - b|, element by element. With one argument [2B, ...] it takes the first half of the stack as a and the second as
 * b and gives [B, ...]. The derivative at a = b is taken as 0.
 */
export function absDifference(a: Tensor, b?: Tensor): Tensor {
  const tape = tapeOf("absDifference", a, b);
  if (!b) return stackedDifference(a);
  sameShape("absDifference", a, b);
  const output = tape.temporary("difference", a.shape);
  const { groups, constants } = threads(a.size);
  tape.launch(forwardShader, { a, b, output }, { ...constants, B_OFFSET: 0 }, groups);

  return tape.record("absDifference", [a, b], output, (gradient, wanted) =>
    [1, -1].map((SIGN, i) => {
      if (!wanted[i]) return undefined;
      const input_gradient = tape.temporary("difference gradient", a.shape);
      const signed = { ...constants, HALF: a.size, B_OFFSET: 0, SIGN };
      tape.launch(backwardShader, { a, b, gradient, input_gradient }, signed, groups);
      return input_gradient;
    }),
  );
}

function stackedDifference(stack: Tensor): Tensor {
  const { tape } = stack;
  const [rows, ...rest] = stack.shape;
  if (rows === undefined || rows % 2 !== 0) {
    throw new ShapeError("absDifference", `one stack of shape ${describe(stack.shape)}; expected an even first axis.`);
  }
  const half = stack.size / 2;
  const output = tape.temporary("difference", [rows / 2, ...rest]);
  const forward = threads(half);
  tape.launch(forwardShader, { a: stack, b: stack, output }, { ...forward.constants, B_OFFSET: half }, forward.groups);

  return tape.record("absDifference", [stack], output, (gradient) => {
    const input_gradient = tape.temporary("difference gradient", stack.shape);
    const { groups, constants } = threads(stack.size);
    const bindings = { a: stack, b: stack, gradient, input_gradient };
    tape.launch(backwardShader, bindings, { ...constants, HALF: half, B_OFFSET: half }, groups);
    return [input_gradient];
  });
}
