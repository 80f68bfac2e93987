// Losses that compare every picture of a batch with every other: one launch computes all squared distances, one
// computes each anchor's term and its derivatives by the distances, one averages. The backward pass is the same for all
// of them.

import batchHardShader from "../../../shaders/batchHardTriplet.terms.wgsl";
import backwardShader from "../../../shaders/batchLoss.backward.wgsl";
import meanShader from "../../../shaders/batchLoss.forward.wgsl";
import distanceShader from "../../../shaders/pairwiseDistance.forward.wgsl";
import semiHardShader from "../../../shaders/semiHardTriplet.terms.wgsl";
import contrastiveShader from "../../../shaders/supervisedContrastive.terms.wgsl";
import { ShapeError } from "../../errors.ts";
import { checkOptions } from "../../options.ts";
import type { Operation } from "../../tape/graph.ts";
import type { Lowering } from "../../tape/lower.ts";
import { threads } from "../../tape/lowering/grid.ts";
import { tapeOf } from "../../tape/tape.ts";
import { describe, type Tensor } from "../../tape/tensor.ts";
import { matrix } from "./contrastiveLoss.ts";

/** `soft` replaces max(0, x + margin) by ln(1 + exp(x)), which never becomes 0. */
export type Margin = number | "soft";

/**
 * Mean over the anchors of max(0, d(a, p) - d(a, n) + margin), a scalar (batch hard: Hermans, Beyer and Leibe 2017,
 * equation 5). d is the Euclidean distance, p the farthest row with a's label, n the nearest row with another label.
 * Embeddings are [N, D]; `labels` has N whole numbers, equal for the same identity, and gets no gradient. Anchors
 * without a positive or a negative are left out of the mean, which is 0 without any anchor; among equally hard rows the
 * first counts. The margin is 0.2 by default.
 * @throws SHAPE unless there is one label for each row.
 * @example
 * ```ts
 * const loss = batchHardTripletLoss(l2Normalize(tape.input("embeddings", [32, 128])), tape.input("labels", [32]), { margin: 0.2 });
 * ```
 */
export function batchHardTripletLoss(
  embeddings: Tensor,
  labels: Tensor,
  options: { readonly margin?: Margin } = {},
): Tensor {
  return triplets("batchHardTripletLoss", batchHardShader, embeddings, labels, options);
}

/**
 * Mean over all pairs of an anchor and a positive of max(0, d(a, p)^2 - d(a, n)^2 + margin). n is the nearest negative
 * that is farther than p (semi-hard: FaceNet, Schroff et al. 2015), or the farthest negative if there is no such one
 * (as in TensorFlow Addons). Otherwise like `batchHardTripletLoss`.
 * @example
 * ```ts
 * const loss = semiHardTripletLoss(l2Normalize(tape.input("embeddings", [32, 128])), tape.input("labels", [32]));
 * ```
 */
export function semiHardTripletLoss(
  embeddings: Tensor,
  labels: Tensor,
  options: { readonly margin?: Margin } = {},
): Tensor {
  return triplets("semiHardTripletLoss", semiHardShader, embeddings, labels, options);
}

/**
 * Mean over the anchors of the cross-entropy between the softmax of -|x_a - x_j|^2 / (2 temperature) over all other
 * rows j and equal shares for the rows with a's label, a scalar (SupCon, Khosla et al. 2020, equation 2). It is meant
 * for rows of unit length: for them this is the softmax of x_a . x_j / temperature, and the gradient that `l2Normalize`
 * passes on is the same. Anchors without a positive are left out of the mean, which is 0 without any anchor. The
 * temperature is 0.1 by default.
 * @example
 * ```ts
 * const embeddings = l2Normalize(tape.input("embeddings", [32, 128]));
 * const loss = supervisedContrastiveLoss(embeddings, tape.input("labels", [32]), { temperature: 0.07 });
 * ```
 */
export function supervisedContrastiveLoss(
  embeddings: Tensor,
  labels: Tensor,
  options: { readonly temperature?: number } = {},
): Tensor {
  checkOptions("supervisedContrastiveLoss", options, { temperature: 1 });
  const { temperature: TEMPERATURE = 0.1 } = options;
  if (!(TEMPERATURE > 0 && Number.isFinite(TEMPERATURE))) {
    throw new ShapeError("supervisedContrastiveLoss", `temperature is ${TEMPERATURE}; expected a number above 0.`);
  }
  return overPairs("supervisedContrastiveLoss", embeddings, labels, (to, bindings, COUNT, groups) =>
    to.launch(contrastiveShader, bindings, { COUNT, TEMPERATURE }, groups),
  );
}

function triplets(
  operation: string,
  shader: typeof batchHardShader | typeof semiHardShader,
  embeddings: Tensor,
  labels: Tensor,
  options: { readonly margin?: Margin },
): Tensor {
  checkOptions(operation, options, { margin: 1 });
  const { margin = 0.2 } = options;
  if (margin !== "soft" && !Number.isFinite(margin)) {
    throw new ShapeError(operation, `margin is ${margin}; expected a number or "soft".`);
  }
  const hinge = margin === "soft" ? { MARGIN: 0, SOFT: 1 } : { MARGIN: margin, SOFT: 0 };
  return overPairs(operation, embeddings, labels, (to, bindings, COUNT, groups) =>
    to.launch(shader, bindings, { COUNT, ...hinge }, groups),
  );
}

interface Bindings {
  /** [N, N] */
  readonly squared: Tensor;
  readonly labels: Tensor;
  /** Each anchor's term and its weight in the mean: [N, 2]. */
  readonly terms: Tensor;
  /** [j, a]: the derivative of a's term by the squared distance between a and j. */
  readonly pull: Tensor;
}

/** Launches the kernel that writes `terms` and `pull`, one thread per anchor. */
type LaunchTerms = (to: Lowering, bindings: Bindings, anchors: number, groups: readonly [number]) => void;

function overPairs(name: string, embeddings: Tensor, labels: Tensor, launchTerms: LaunchTerms): Tensor {
  const tape = tapeOf(name, embeddings, labels);
  const [rows] = matrix(name, embeddings);
  if (labels.size !== rows) {
    throw new ShapeError(name, `labels ${describe(labels.shape)}; expected one for each of ${rows} embeddings.`);
  }
  const outputs = [
    { shape: [], name },
    { shape: [rows, rows], name: "derivatives by distances" },
    { shape: [], name: "share of a term" },
  ];
  return tape.recordAll({ ...operation, name }, [embeddings, labels], { launchTerms }, outputs)[0];
}

const sizesOf = ({ shape: [ROWS, COLUMNS] }: Tensor) => ({ ROWS, COLUMNS });

const operation: Operation<{ readonly launchTerms: LaunchTerms }> = {
  name: "batchLoss",
  gradient: ({ inputs: [embeddings], outputs: [, pull, share] }, gradient) => [
    gradient.tape.record(gradientOperation, [embeddings, pull, share, gradient], undefined, embeddings.shape),
  ],
  lower({ inputs: [embeddings, labels], outputs: [output, pull, share], options: { launchTerms } }, to) {
    const { ROWS, COLUMNS } = sizesOf(embeddings);
    const squared = to.temporary("squared distances", [ROWS, ROWS]);
    const { groups, constants } = threads(ROWS * ROWS);
    to.launch(distanceShader, { x: embeddings, output: squared }, { ...constants, ROWS, COLUMNS }, groups);
    const terms = to.temporary("loss terms", [ROWS, 2]);
    launchTerms(to, { squared, labels, terms, pull }, ROWS, [Math.ceil(ROWS / 64)]);
    to.launch(meanShader, { terms, output, share }, { COUNT: ROWS }, [1]);
  },
};

const gradientOperation: Operation<undefined> = {
  name: "batchLoss gradient",
  lower({ inputs: [x, pull, share, gradient], outputs: [input_gradient] }, to) {
    const { groups, constants } = threads(x.size);
    to.launch(backwardShader, { x, pull, share, gradient, input_gradient }, { ...constants, ...sizesOf(x) }, groups);
  },
};
