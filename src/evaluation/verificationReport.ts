// The verification metrics that `twingrad evaluate` and training report, by one protocol.

import { Random, streams } from "../data/random.ts";
import type { EvaluationPair } from "../data/sampling/evaluationPairs.ts";
import { TwingradError } from "../errors.ts";
import {
  areaUnderCurve,
  bestThreshold,
  crossValidatedAccuracy,
  equalErrorRate,
  roc,
  type ScoredPair,
  trueAcceptAt,
} from "./metrics.ts";

/** The false-accept rates to report the true-accept rate at. */
export const falseAcceptRates = ["0.1", "0.01", "0.001"] as const;

/** How well distances tell genuine from impostor pairs. */
export interface VerificationReport {
  /** How many pairs were scored. */
  pairs: number;
  /** Mean over the folds, each at the best threshold of the others; standard deviation over the folds. */
  accuracy: number;
  /** Standard deviation of the accuracy over the folds. */
  accuracyStd: number;
  /** Standard error of the mean. */
  accuracyStandardError: number;
  /**
   * Mean of the accuracies on genuine and on impostor pairs, at the threshold that maximizes it over all pairs. Unlike
   * `accuracy` it is 0.5 for a constant answer, whatever the numbers of pairs.
   */
  balancedAccuracy: number;
  /** Area under the ROC curve, see `areaUnderCurve`. */
  auc: number;
  /** Equal error rate, see `equalErrorRate`. */
  eer: number;
  /** True-accept rate at each of these false-accept rates. */
  tarAtFar: Record<(typeof falseAcceptRates)[number], number>;
  /** The best threshold over all pairs. */
  threshold: number;
}

/**
 * @param folds for each pair the number of its fold; without them up to ten folds of people.
 * @throws BAD_INPUT without pairs of both kinds, or when fewer than two people have two pictures.
 * @example
 * ```ts
 * const { accuracy, auc, eer, tarAtFar } = verificationReport(scored, scored, labels);
 * console.log(`AUC ${auc}, EER ${eer}, TAR at FAR 0.1 %: ${tarAtFar["0.001"]}`);
 * ```
 */
export function verificationReport(
  scored: readonly ScoredPair[],
  pairs: readonly EvaluationPair[],
  labels: ArrayLike<number>,
  folds: ArrayLike<number> = foldsOfPeople(pairs, labels, 10),
): VerificationReport {
  const points = roc(scored);
  return {
    pairs: scored.length,
    ...crossValidatedAccuracy(scored, folds),
    balancedAccuracy: points.reduce(
      (best, { trueAccept, falseAccept }) => Math.max(best, (1 + trueAccept - falseAccept) / 2),
      0,
    ),
    auc: areaUnderCurve(points),
    eer: equalErrorRate(points),
    tarAtFar: {
      "0.1": trueAcceptAt(points, 0.1),
      "0.01": trueAcceptAt(points, 0.01),
      "0.001": trueAcceptAt(points, 0.001),
    },
    threshold: bestThreshold(scored).threshold,
  };
}

/**
 * A fold for each pair: that of the identity of its left picture. Identities are dealt out at random, as evenly as
 * possible; those without a genuine pair are added afterwards, so that every fold has genuine pairs.
 */
export function foldsOfPeople(pairs: readonly EvaluationPair[], labels: ArrayLike<number>, count: number): Int32Array {
  const people = [...new Set(pairs.filter((pair) => pair.same).map((pair) => labels[pair.left]))].sort((a, b) => a - b);
  const used = Math.min(count, people.length);
  if (used < 2) {
    throw new TwingradError(
      "BAD_INPUT",
      `cross-validation needs at least 2 people with 2 pictures each; there are ${people.length}`,
    );
  }
  new Random(0, streams.folds).shuffle(people);
  const foldOf = new Map(people.map((person, position) => [person, position % used]));
  return Int32Array.from(pairs, (pair) => foldOf.get(labels[pair.left]) ?? labels[pair.left] % used);
}
