// Verification metrics: how well distances separate genuine from impostor pairs. A smaller distance means more alike; a
// pair is accepted as the same identity when its distance is at most the threshold.
import { TwingradError } from "../errors.ts";

/** The distance of a pair, and whether it is genuine. */
export interface ScoredPair {
  /** Smaller means more alike. */
  readonly distance: number;
  /** Whether it is a genuine pair. */
  readonly same: boolean;
}

/** The shares of impostor pairs (`falseAccept`) and of genuine pairs (`trueAccept`) with distance <= threshold. */
export interface RocPoint {
  /** Pairs at most this far apart are accepted. */
  threshold: number;
  /** Share of the impostor pairs that are accepted. */
  falseAccept: number;
  /** Share of the genuine pairs that are accepted. */
  trueAccept: number;
}

/**
 * The receiver operating characteristic: one point for each distance that occurs, in ascending order, and (0, 0) before
 * them. Pairs of equal distance are accepted together.
 * @throws BAD_INPUT without pairs of both kinds, or with a distance that is not a number.
 * @example
 * ```ts
 * const points = roc([{ distance: 0.2, same: true }, { distance: 0.9, same: false }]);
 * console.log(areaUnderCurve(points), equalErrorRate(points)); // 1 0
 * ```
 */
export function roc(pairs: readonly ScoredPair[]): RocPoint[] {
  const same = pairs.filter((pair) => pair.same).length;
  const different = pairs.length - same;
  if (same === 0 || different === 0) {
    throw new TwingradError(
      "BAD_INPUT",
      `verification needs genuine and impostor pairs; there are ${same} and ${different}`,
    );
  }
  if (pairs.some((pair) => Number.isNaN(pair.distance))) {
    throw new TwingradError("BAD_INPUT", "a pair's distance is NaN; expected a number");
  }
  const ascending = [...pairs].sort((a, b) => a.distance - b.distance);
  const points: RocPoint[] = [{ threshold: Number.NEGATIVE_INFINITY, falseAccept: 0, trueAccept: 0 }];
  let acceptedSame = 0;
  let acceptedDifferent = 0;
  ascending.forEach((pair, position) => {
    if (pair.same) acceptedSame++;
    else acceptedDifferent++;
    if (ascending[position + 1]?.distance === pair.distance) return;
    points.push({
      threshold: pair.distance,
      falseAccept: acceptedDifferent / different,
      trueAccept: acceptedSame / same,
    });
  });
  return points;
}

/**
 * Area under the curve: the chance that a genuine pair is nearer than an impostor pair, ties counting one half
 * (Mann and Whitney 1947). The trapezoids under `roc` give just that.
 * @returns From 0 to 1; 0.5 is chance.
 * @example
 * ```ts
 * areaUnderCurve(roc(scored));
 * ```
 */
export function areaUnderCurve(points: readonly RocPoint[]): number {
  let area = 0;
  for (let i = 1; i < points.length; i++) {
    const width = points[i].falseAccept - points[i - 1].falseAccept;
    area += (width * (points[i].trueAccept + points[i - 1].trueAccept)) / 2;
  }
  return area;
}

/**
 * Equal error rate: where false accepts = false rejects on the straight lines between the points of the curve.
 * @returns From 0 to 1; multiply by 100 for percent.
 * @example
 * ```ts
 * equalErrorRate(roc(scored));
 * ```
 */
export function equalErrorRate(points: readonly RocPoint[]): number {
  for (let i = 1; i < points.length; i++) {
    const before = points[i - 1].falseAccept - (1 - points[i - 1].trueAccept);
    const after = points[i].falseAccept - (1 - points[i].trueAccept);
    if (after >= 0) {
      const share = before / (before - after);
      return points[i - 1].falseAccept + share * (points[i].falseAccept - points[i - 1].falseAccept);
    }
  }
  throw new TwingradError("BAD_INPUT", "Invalid ROC curve: expected the last point to accept every pair.");
}

/**
 * The largest share of true accepts that some threshold reaches with at most the share `far` of false accepts. With
 * fewer than 1 / far impostor pairs this allows no false accept at all.
 * @param far - the false-accept rate, as a share: 0.01 is one in a hundred.
 * @example
 * ```ts
 * trueAcceptAt(roc(scored), 0.001); // TAR at FAR 0.1 %
 * ```
 */
export function trueAcceptAt(points: readonly RocPoint[], far: number): number {
  let best = 0;
  for (const { falseAccept, trueAccept } of points) {
    if (falseAccept > far) break; // both rise along the curve
    best = trueAccept;
  }
  return best;
}

/**
 * The share of pairs that the threshold classifies correctly.
 * @example
 * ```ts
 * accuracyAt(scored, bestThreshold(scored).threshold);
 * ```
 */
export function accuracyAt(pairs: readonly ScoredPair[], threshold: number): number {
  return pairs.filter((pair) => pair.distance <= threshold === pair.same).length / pairs.length;
}

/**
 * The threshold with the highest accuracy on these pairs: halfway between two neighboring distances, the lowest such
 * place among equals; or beyond the outermost distance when accepting all or nothing is best.
 * @returns The threshold, and the share of the pairs that it classifies correctly.
 * @example
 * ```ts
 * const { threshold, accuracy } = bestThreshold(scored);
 * ```
 */
export function bestThreshold(pairs: readonly ScoredPair[]): { threshold: number; accuracy: number } {
  const ascending = [...pairs].sort((a, b) => a.distance - b.distance);
  let correct = ascending.filter((pair) => !pair.same).length;
  let best = correct;
  let bestPosition = 0;
  ascending.forEach((pair, position) => {
    correct += pair.same ? 1 : -1;
    const tied = ascending[position + 1]?.distance === pair.distance;
    if (!tied && correct > best) {
      best = correct;
      bestPosition = position + 1;
    }
  });
  return { threshold: between(ascending, bestPosition), accuracy: best / pairs.length };
}

/** A threshold that separates the first `position` pairs from the others. */
function between(ascending: readonly ScoredPair[], position: number): number {
  const below = ascending[position - 1]?.distance;
  const above = ascending[position]?.distance;
  if (below === undefined) return above - (Math.abs(above) + 1) / 1000;
  if (above === undefined) return below;
  // Halfway may round up to `above` when the two are adjacent floating-point numbers.
  const middle = below + (above - below) / 2;
  return middle < above ? middle : below;
}

/**
 * Accuracy on each fold at the best threshold of the other folds: mean, standard deviation over the folds (n - 1), and
 * standard error of the mean (the deviation over the root of the number of folds). This is the protocol of Labeled
 * Faces in the Wild (G. Huang et al. 2007), view 2.
 * @param folds for each pair the number of its fold, integers from 0; no fold may be empty.
 */
export function crossValidatedAccuracy(
  pairs: readonly ScoredPair[],
  folds: ArrayLike<number>,
): { accuracy: number; accuracyStd: number; accuracyStandardError: number } {
  const used = new Set(Array.from(folds));
  const count = used.size;
  if (count < 2 || Math.max(...used) !== count - 1 || folds.length !== pairs.length) {
    throw new TwingradError(
      "BAD_INPUT",
      `Cannot cross-validate ${pairs.length} pairs in ${count} folds: expected at least 2 folds, numbered from 0, none empty.`,
    );
  }
  const accuracies = Array.from({ length: count }, (_, fold) => {
    const { threshold } = bestThreshold(pairs.filter((_, position) => folds[position] !== fold));
    return accuracyAt(
      pairs.filter((_, position) => folds[position] === fold),
      threshold,
    );
  });
  const accuracy = accuracies.reduce((sum, value) => sum + value, 0) / count;
  const variance = accuracies.reduce((sum, value) => sum + (value - accuracy) ** 2, 0) / (count - 1);
  const accuracyStd = Math.sqrt(variance);
  return { accuracy, accuracyStd, accuracyStandardError: accuracyStd / Math.sqrt(count) };
}
