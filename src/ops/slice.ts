import backwardShader from "../../shaders/slice.backward.wgsl";
import forwardShader from "../../shaders/slice.forward.wgsl";
import { ShapeError } from "../errors.ts";
import { threads } from "../tape/grid.ts";
import { tapeOf } from "../tape/tape.ts";
import { describe, type Tensor } from "../tape/tensor.ts";

/** Rows start .. start + count of the first axis: [B, ...] -> [count, ...]. */
export function slice(x: Tensor, start: number, count: number): Tensor {
  const tape = tapeOf("slice", x);
  const [rows, ...rest] = x.shape;
  if (!(Number.isInteger(start) && Number.isInteger(count) && start >= 0 && count > 0 && start + count <= rows)) {
    throw new ShapeError("slice", `rows ${start} to ${start + count} of ${describe(x.shape)}; expected 0 to ${rows}.`);
  }
  const output = tape.temporary("slice", [count, ...rest]);
  const OFFSET = (x.size / rows) * start;
  const forward = threads(output.size);
  tape.launch(forwardShader, { x, output }, { ...forward.constants, OFFSET }, forward.groups);

  return tape.record("slice", [x], output, (gradient) => {
    const input_gradient = tape.temporary("slice gradient", x.shape);
    const { groups, constants } = threads(x.size);
    tape.launch(backwardShader, { gradient, input_gradient }, { ...constants, OFFSET, TAKEN: output.size }, groups);
    return [input_gradient];
  });
}
