import { tapeOf } from "../tape/tape.ts";
import { sizeOf, type Tensor } from "../tape/tensor.ts";

/** Reshapes [B, ...] to [B, the product of the rest]; no launch. */
export function flatten(x: Tensor): Tensor {
  const [batch = 1, ...rest] = x.shape;
  return tapeOf("flatten", x).view(x, [batch, sizeOf(rest)]);
}
