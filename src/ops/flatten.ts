import { tapeOf } from "../tape/tape.ts";
import { sizeOf, type Tensor } from "../tape/tensor.ts";

/** [B, ...] as [B, the rest]: the same elements under another shape, no launch. */
export function flatten(x: Tensor): Tensor {
  const tape = tapeOf("flatten", x);
  const [batch = 1, ...rest] = x.shape;
  return tape.record("flatten", [x], tape.view(x, [batch, sizeOf(rest)]), (gradient) => [tape.view(gradient, x.shape)]);
}
