import { ShapeError } from "../errors.ts";
import { addition } from "../tape/sum.ts";
import { tapeOf } from "../tape/tape.ts";
import { describe, type Tensor } from "../tape/tensor.ts";

/**
 * a + b, element by element; both have the same shape. The gradient passes unchanged to both.
 * @throws SHAPE where the shapes differ.
 * @example
 * ```ts
 * const total = add(sum(x), l2Penalty(x, 0.1));
 * ```
 */
export function add(a: Tensor, b: Tensor): Tensor {
  tapeOf("add", a, b);
  sameShape("add", a, b);
  return addition(a, b);
}

/** Throws `SHAPE` unless all tensors have the same shape. */
export function sameShape(operation: string, ...tensors: readonly Tensor[]): void {
  const shapes = tensors.map((t) => describe(t.shape));
  if (new Set(shapes).size > 1) throw new ShapeError(operation, `got ${shapes.join(" and ")}; expected equal shapes.`);
}
