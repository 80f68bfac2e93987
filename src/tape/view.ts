// The same elements with another name or shape: an operation without a launch.
import { ShapeError } from "../errors.ts";
import type { Operation } from "./graph.ts";
import { describe, sizeOf, type Tensor } from "./tensor.ts";

const operation: Operation<{ shape: readonly number[] }> = {
  name: "view",
  gradient({ inputs: [x], options: { shape } }, gradient) {
    if (sizeOf(shape) !== x.size) {
      throw new ShapeError("view", `${describe(shape)} is a part of ${describe(x.shape)}, which has no gradient.`);
    }
    return [view(gradient, x.shape)];
  },
  lower({ inputs: [x], outputs: [output] }, to) {
    to.place(output, to.storage(x));
  },
};

/** @param name of the result; that of x by default. */
export function view(x: Tensor, shape: readonly number[], name = x.name): Tensor {
  if (sizeOf(shape) > x.size) {
    throw new ShapeError("view", `"${x.name}" ${describe(x.shape)} cannot be viewed as ${describe(shape)}.`);
  }
  return x.tape.recordAll(operation, [x], { shape }, [{ shape, name, dtype: x.dtype }])[0];
}
