import backwardShader from "../../../shaders/tripletLoss.backward.wgsl";
import forwardShader from "../../../shaders/tripletLoss.forward.wgsl";
import { checkOptions } from "../../options.ts";
import type { Operation } from "../../tape/graph.ts";
import { threads } from "../../tape/lowering/grid.ts";
import { tapeOf } from "../../tape/tape.ts";
import type { Tensor } from "../../tape/tensor.ts";
import { matrix, squaredDistance } from "./contrastiveLoss.ts";

/**
 * Mean over triplets of max(0, d(anchor, positive)^2 - d(anchor, negative)^2 + margin), d Euclidean (FaceNet, Schroff
 * et al. 2015), a scalar. All three are [B, D].
 * @param options.margin - 0.2 by default.
 * @throws SHAPE where the shapes do not match.
 * @example
 * ```ts
 * const [anchor, positive, negative] = ["anchor", "positive", "negative"].map((name) => tape.input(name, [8, 128]));
 * const loss = tripletLoss(anchor!, positive!, negative!, { margin: 0.2 });
 * ```
 */
export function tripletLoss(
  anchor: Tensor,
  positive: Tensor,
  negative: Tensor,
  options: { readonly margin?: number } = {},
): Tensor {
  checkOptions("tripletLoss", options, { margin: "finite number" });
  const tape = tapeOf("tripletLoss", anchor, positive, negative);
  const { margin = 0.2 } = options;
  matrix("tripletLoss", anchor, positive, negative);
  const squared = [squaredDistance(anchor, positive), squaredDistance(anchor, negative)];
  return tape.record(operation, [anchor, positive, negative, ...squared], { margin }, []);
}

interface Options {
  readonly margin: number;
}

/** The squared distances have no gradient of their own: the gradients of the three embeddings include it. */
const operation: Operation<Options> = {
  name: "tripletLoss",
  gradient({ inputs: [anchor, positive, negative, ...squared], options }, gradient, wanted) {
    const towards = [
      [negative, positive],
      [positive, anchor],
      [anchor, negative],
    ];
    const gradients = towards.map((pair, i) =>
      wanted[i]
        ? gradient.tape.record(gradientOperation, [...pair, ...squared, gradient], options, anchor.shape)
        : undefined,
    );
    return [...gradients, null, null];
  },
  lower({ inputs: [, , , squared_positive, squared_negative], outputs: [output], options: { margin: MARGIN } }, to) {
    const COUNT = squared_positive.size;
    to.launch(forwardShader, { squared_positive, squared_negative, output }, { COUNT, MARGIN }, [1]);
  },
};

const gradientOperation: Operation<Options> = {
  name: "tripletLoss gradient",
  lower({ inputs, outputs: [input_gradient], options: { margin: MARGIN } }, to) {
    const [u, v, squared_positive, squared_negative, gradient] = inputs;
    const { groups, constants } = threads(u.size);
    const bindings = { u, v, squared_positive, squared_negative, gradient, input_gradient };
    to.launch(backwardShader, bindings, { ...constants, COLUMNS: u.shape[1], MARGIN }, groups);
  },
};
