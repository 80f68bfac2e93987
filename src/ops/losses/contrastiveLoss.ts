import backwardShader from "../../../shaders/contrastiveLoss.backward.wgsl";
import forwardShader from "../../../shaders/contrastiveLoss.forward.wgsl";
import distanceShader from "../../../shaders/squaredDistance.forward.wgsl";
import { ShapeError } from "../../errors.ts";
import { checkOptions } from "../../options.ts";
import type { Operation } from "../../tape/graph.ts";
import { threads } from "../../tape/lowering/grid.ts";
import { tapeOf } from "../../tape/tape.ts";
import { describe, type Tensor } from "../../tape/tensor.ts";
import { sameShape } from "../add.ts";

/**
 * Mean over pairs of same d^2 + (1 - same) max(0, margin - d)^2, d = |a - b| Euclidean (Hadsell et al. 2006), a scalar.
 * a and b are [B, D], `same` holds B ones (same) and zeros (different) and gets no gradient.
 * @param options.margin - impostor pairs farther apart than this cost nothing; 1 by default.
 * @throws SHAPE where the shapes do not match.
 * @example
 * ```ts
 * const [a, b] = [tape.input("a", [8, 128]), tape.input("b", [8, 128])];
 * const loss = contrastiveLoss(l2Normalize(a), l2Normalize(b), tape.input("same", [8]), { margin: 1 });
 * ```
 */
export function contrastiveLoss(
  a: Tensor,
  b: Tensor,
  same: Tensor,
  options: { readonly margin?: number } = {},
): Tensor {
  checkOptions("contrastiveLoss", options, { margin: "finite number" });
  const tape = tapeOf("contrastiveLoss", a, b, same);
  const { margin = 1 } = options;
  const [rows] = matrix("contrastiveLoss", a, b);
  if (same.size !== rows) {
    throw new ShapeError(
      "contrastiveLoss",
      `same ${describe(same.shape)}; expected one value for each of ${rows} pairs.`,
    );
  }
  return tape.record(operation, [a, b, same, squaredDistance(a, b)], { margin }, []);
}

interface Options {
  readonly margin: number;
}

/** The fourth input, the squared distances, has no gradient of its own: the gradients of a and b include it. */
const operation: Operation<Options> = {
  name: "contrastiveLoss",
  gradient({ inputs, options }, gradient, wanted) {
    const of = (sign: 1 | -1) =>
      gradient.tape.record(gradientOperation, [...inputs, gradient], { ...options, sign }, inputs[0].shape);
    return [wanted[0] ? of(1) : undefined, wanted[1] ? of(-1) : undefined, undefined, null];
  },
  lower({ inputs: [, , same, squared], outputs: [output], options: { margin: MARGIN } }, to) {
    to.launch(forwardShader, { squared, same, output }, { COUNT: squared.size, MARGIN }, [1]);
  },
};

const gradientOperation: Operation<Options & { readonly sign: 1 | -1 }> = {
  name: "contrastiveLoss gradient",
  lower({ inputs, outputs: [input_gradient], options: { margin: MARGIN, sign: SIGN } }, to) {
    const [a, b, same, squared, gradient] = inputs;
    const { groups, constants } = threads(a.size);
    const all = { ...constants, COLUMNS: a.shape[1], MARGIN, SIGN };
    to.launch(backwardShader, { a, b, same, squared, gradient, input_gradient }, all, groups);
  },
};

/**
 * Squared Euclidean distance of each pair of rows: [B, D], [B, D] -> [B]. The loss that reads it provides its gradient.
 */
export function squaredDistance(a: Tensor, b: Tensor): Tensor {
  return a.tape.record(distanceOperation, [a, b], undefined, [a.shape[0]]);
}

const distanceOperation: Operation<undefined> = {
  name: "squaredDistance",
  lower({ inputs: [a, b], outputs: [output] }, to) {
    const [rows, COLUMNS] = a.shape;
    to.launch(distanceShader, { a, b, output }, { COLUMNS }, [rows]);
  },
};

/** Rows and columns of tensors that must all be [B, D]. */
export function matrix(operation: string, ...tensors: readonly Tensor[]): readonly number[] {
  sameShape(operation, ...tensors);
  const { shape } = tensors[0];
  if (shape.length !== 2) throw new ShapeError(operation, `got ${describe(shape)}; expected [B, D].`);
  return shape;
}
