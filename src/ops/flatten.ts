import { tapeOf } from "../tape/tape.ts";
import { sizeOf, type Tensor } from "../tape/tensor.ts";

/**
 * [B, ...] as [B, the rest]: the same elements under another shape, no launch.
 * @example
 * ```ts
 * const y = flatten(tape.input("x", [4, 7, 7, 32])); // [4, 1568]
 * ```
 */
export function flatten(x: Tensor): Tensor {
  const [batch = 1, ...rest] = x.shape;
  return tapeOf("flatten", x).view(x, [batch, sizeOf(rest)]);
}
