import shader from "../../../shaders/scaleBytes.forward.wgsl";
import { ShapeError } from "../../errors.ts";
import type { Operation } from "../../tape/graph.ts";
import { vec4Threads } from "../../tape/lowering/grid.ts";
import { tapeOf } from "../../tape/tape.ts";
import type { Tensor } from "../../tape/tensor.ts";

/**
 * x / 255 of a "u8" input, as float32 in [0, 1]: pictures travel to the GPU as bytes. Not differentiable; apply it to
 * inputs only.
 * @example
 * ```ts
 * const images = scaleBytes(tape.input("pictures", [4, 56, 46, 1], { dtype: "u8" }));
 * ```
 */
export function scaleBytes(x: Tensor): Tensor {
  const tape = tapeOf("scaleBytes", x);
  if (x.dtype !== "u8") throw new ShapeError("scaleBytes", `"${x.name}" holds ${x.dtype}; expected a u8 input.`);
  return tape.record(scaleBytesOperation, [x], undefined, x.shape);
}

export const scaleBytesOperation: Operation<undefined> = {
  name: "scaleBytes",
  lower({ inputs: [x], outputs: [output] }, to) {
    const { groups, constants } = vec4Threads(x.size);
    to.launch(shader, { x, output }, constants, groups);
  },
};
