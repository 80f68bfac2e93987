import { ShapeError } from "../errors.ts";
import type { Operation } from "../tape/graph.ts";
import { tapeOf } from "../tape/tape.ts";
import { describe, type Tensor } from "../tape/tensor.ts";
import { denseInputGradient, denseKernelGradient } from "./dense.ts";
import { launchRoundedProduct } from "./kernels/halfProduct.ts";
import { productOf } from "./kernels/matrixProduct.ts";

/**
 * The matrix product a b: [N, K] x [K, M] -> [N, M], or of a batch of matrices [B, N, K] x [B, K, M] -> [B, N, M].
 * @throws SHAPE where the shapes do not match.
 * @example
 * ```ts
 * const y = matmul(tape.input("a", [4, 8]), tape.input("b", [8, 2])); // [4, 2]
 * ```
 */
export function matmul(a: Tensor, b: Tensor): Tensor {
  const tape = tapeOf("matmul", a, b);
  const { length } = a.shape;
  const [left, right] = [a, b].map(({ shape }) => shape.slice(0, -2).join());
  const fits = a.shape[length - 1] === b.shape[length - 2] && left === right;
  if ((length !== 2 && length !== 3) || b.shape.length !== length || !fits) {
    throw new ShapeError(
      "matmul",
      `got ${describe(a.shape)} and ${describe(b.shape)}; expected [N, K] and [K, M], or [B, N, K] and [B, K, M].`,
    );
  }
  return tape.record(matmulOperation, [a, b], undefined, [...a.shape.slice(0, -1), b.shape[length - 1]]);
}

const matmulOperation: Operation<undefined> = {
  name: "matmul",
  gradient: ({ inputs: [a, b] }, gradient, wanted) => [
    wanted[0] ? denseInputGradient(a, b, gradient) : undefined,
    wanted[1] ? denseKernelGradient(a, b, gradient) : undefined,
  ],
  lower({ inputs: [a, b], outputs: [output] }, to) {
    launchRoundedProduct(to, productOf(a, b), { x: a, kernel: b, output });
  },
};
