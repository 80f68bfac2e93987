import backwardShader from "../../../shaders/tripletLoss.backward.wgsl";
import forwardShader from "../../../shaders/tripletLoss.forward.wgsl";
import { threads } from "../../tape/grid.ts";
import { tapeOf } from "../../tape/tape.ts";
import type { Tensor } from "../../tape/tensor.ts";
import { matrix, squaredDistance } from "./contrastiveLoss.ts";

/**
 * Mean over triplets of max(0, d(anchor, positive)^2 - d(anchor, negative)^2 + margin), d Euclidean (FaceNet, Schroff
 * et al. 2015), a scalar. All three are [B, D].
 */
export function tripletLoss(
  anchor: Tensor,
  positive: Tensor,
  negative: Tensor,
  options: { readonly margin?: number } = {},
): Tensor {
  const tape = tapeOf("tripletLoss", anchor, positive, negative);
  const { margin: MARGIN = 0.2 } = options;
  const [rows, columns] = matrix("tripletLoss", anchor, positive, negative);
  const squared_positive = squaredDistance(tape, anchor, positive);
  const squared_negative = squaredDistance(tape, anchor, negative);
  const output = tape.temporary("triplet loss", []);
  tape.launch(forwardShader, { squared_positive, squared_negative, output }, { COUNT: rows, MARGIN }, [1]);

  return tape.record("tripletLoss", [anchor, positive, negative], output, (gradient, wanted) => {
    const towards = [
      [negative, positive],
      [positive, anchor],
      [anchor, negative],
    ];
    return towards.map(([u, v], i) => {
      if (!wanted[i]) return undefined;
      const input_gradient = tape.temporary("triplet gradient", anchor.shape);
      const { groups, constants } = threads(anchor.size);
      const bindings = { u, v, squared_positive, squared_negative, gradient, input_gradient };
      tape.launch(backwardShader, bindings, { ...constants, COLUMNS: columns, MARGIN }, groups);
      return input_gradient;
    });
  });
}
