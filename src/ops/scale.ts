import shader from "../../shaders/scale.forward.wgsl";
import { ShapeError } from "../errors.ts";
import { vec4Threads } from "../tape/grid.ts";
import { tapeOf } from "../tape/tape.ts";
import type { Tensor } from "../tape/tensor.ts";

/** k x, element by element, k a number known now. */
export function scale(x: Tensor, k: number): Tensor {
  const tape = tapeOf("scale", x);
  if (!Number.isFinite(k)) throw new ShapeError("scale", `the factor is ${k}; expected a finite number.`);
  const { groups, constants } = vec4Threads(x.size);
  const scaled = (source: Tensor, name: string) => {
    const output = tape.temporary(name, x.shape);
    tape.launch(shader, { x: source, output }, { ...constants, FACTOR: k }, groups);
    return output;
  };
  return tape.record("scale", [x], scaled(x, "scaled"), (gradient) => [scaled(gradient, "scale gradient")]);
}
