import shader from "../../../shaders/scaleBytes.forward.wgsl";
import { ShapeError } from "../../errors.ts";
import { vec4Threads } from "../../tape/grid.ts";
import { tapeOf } from "../../tape/tape.ts";
import type { Tensor } from "../../tape/tensor.ts";

/** The bytes behind a tensor of pixels, for operations that can read those. */
export const scaledFrom = new WeakMap<Tensor, Tensor>();

/** x / 255 of a "u8" input, as float32 in [0, 1]: pictures travel to the GPU as bytes. */
export function scaleBytes(x: Tensor): Tensor {
  const tape = tapeOf("scaleBytes", x);
  if (x.dtype !== "u8") throw new ShapeError("scaleBytes", `"${x.name}" holds ${x.dtype}; expected a u8 input.`);
  const output = tape.deferred("pixels", x.shape, (storage) => {
    const { groups, constants } = vec4Threads(x.size);
    tape.launch(shader, { x, output: storage }, constants, groups);
  });
  scaledFrom.set(output, x);
  return tape.record("scaleBytes", [x], output, () => [undefined]);
}
