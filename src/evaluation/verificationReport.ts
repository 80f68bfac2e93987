// The figures that `twingrad evaluate` and training report for a set of pairs, by one protocol.

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

/**
 * Where the true-accept rate is told.
 * The reports have one true-accept rate for each.
 */
export const falseAcceptRates = ["0.1", "0.01", "0.001"] as const;

/** How well distances tell genuine from impostor pairs. */
export interface VerificationReport {
  /** How many pairs were scored. */
  pairs: number;
  /** Mean over the folds, each judged by the best threshold of the others; standard deviation over the folds. */
  accuracy: number;
  /** Standard deviation of the accuracy over the folds. */
  accuracyStd: number;
  /** Of the mean. */
  accuracyStandardError: number;
  /**
   * Mean of the shares of genuine and of impostor pairs judged rightly, at the threshold where it is greatest over all the
   * pairs: unlike `accuracy` it is 0.5 for a model that always says the same, however many there are of either kind.
   */
  balancedAccuracy: number;
  /** Area under the ROC curve, see `areaUnderCurve`. */
  auc: number;
  /** Equal error rate, see `equalErrorRate`. */
  eer: number;
  /** True-accept rate at these false-accept rates. */
  tarAtFar: Record<(typeof falseAcceptRates)[number], number>;
  /** The best threshold over all the pairs. */
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
 * A fold for each pair: that of the person on its left picture. People are dealt out at random, as evenly as they go;
 * those who have no pair of their own pictures follow the others, so that every fold has pairs of one person.
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
