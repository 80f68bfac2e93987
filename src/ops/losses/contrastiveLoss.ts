import backwardShader from "../../../shaders/contrastiveLoss.backward.wgsl";
import forwardShader from "../../../shaders/contrastiveLoss.forward.wgsl";
import distanceShader from "../../../shaders/squaredDistance.forward.wgsl";
import { ShapeError } from "../../errors.ts";
import { threads } from "../../tape/grid.ts";
import { type Tape, tapeOf } from "../../tape/tape.ts";
import { describe, type Tensor } from "../../tape/tensor.ts";
import { sameShape } from "../add.ts";

/**
 * Mean over pairs of same d^2 + (1 - same) max(0, margin - d)^2, d = |a - b| Euclidean (Hadsell et al. 2006), a scalar.
 * a and b are [B, D], `same` holds B ones (same) and zeros (different) and gets no gradient.
 */
export function contrastiveLoss(
  a: Tensor,
  b: Tensor,
  same: Tensor,
  options: { readonly margin?: number } = {},
): Tensor {
  const tape = tapeOf("contrastiveLoss", a, b, same);
  const { margin: MARGIN = 1 } = options;
  const [rows, columns] = matrix("contrastiveLoss", a, b);
  if (same.size !== rows) {
    throw new ShapeError(
      "contrastiveLoss",
      `same ${describe(same.shape)}; expected one value for each of ${rows} pairs.`,
    );
  }
  const squared = squaredDistance(tape, a, b);
  const output = tape.temporary("contrastive loss", []);
  tape.launch(forwardShader, { squared, same, output }, { COUNT: rows, MARGIN }, [1]);

  return tape.record("contrastiveLoss", [a, b, same], output, (gradient, wanted) =>
    [1, -1].map((SIGN, i) => {
      if (!wanted[i]) return undefined;
      const input_gradient = tape.temporary("contrastive gradient", a.shape);
      const { groups, constants } = threads(a.size);
      const all = { ...constants, COLUMNS: columns, MARGIN, SIGN };
      tape.launch(backwardShader, { a, b, same, squared, gradient, input_gradient }, all, groups);
      return input_gradient;
    }),
  );
}

/** Squared Euclidean distance of each pair of rows: [B, D], [B, D] -> [B]. A launch without a chain rule of its own. */
export function squaredDistance(tape: Tape, a: Tensor, b: Tensor): Tensor {
  const [rows, columns] = a.shape;
  const output = tape.temporary("squared distance", [rows]);
  tape.launch(distanceShader, { a, b, output }, { COLUMNS: columns }, [rows]);
  return output;
}

/** Rows and columns of tensors that must all be [B, D]. */
export function matrix(operation: string, ...tensors: readonly Tensor[]): readonly number[] {
  sameShape(operation, ...tensors);
  const { shape } = tensors[0];
  if (shape.length !== 2) throw new ShapeError(operation, `got ${describe(shape)}; expected [B, D].`);
  return shape;
}
