// The figures of verification as their definitions read: every threshold tried, every pair counted anew. Slow on purpose.
import type { ScoredPair } from "../../../src/evaluation/metrics.ts";

/** The pairs so many times each. */
export function repeated(pairs: readonly ScoredPair[], times: readonly number[]): ScoredPair[] {
  return pairs.flatMap((pair, n) => new Array<ScoredPair>(times[n]).fill(pair));
}

/** Shares of the impostor and genuine pairs with distance <= threshold. */
export function rates(pairs: readonly ScoredPair[], threshold: number) {
  const share = (same: boolean) => {
    const kind = pairs.filter((pair) => pair.same === same);
    return kind.filter((pair) => pair.distance <= threshold).length / kind.length;
  };
  return { falseAccept: share(false), trueAccept: share(true) };
}

const thresholds = (pairs: readonly ScoredPair[]) => [
  Number.NEGATIVE_INFINITY,
  ...[...new Set(pairs.map((pair) => pair.distance))].sort((a, b) => a - b),
];

/** P(d_same < d_different) + P(d_same = d_different) / 2, over all combinations. */
export function areaUnderCurve(pairs: readonly ScoredPair[]): number {
  const ofOne = pairs.filter((pair) => pair.same);
  const ofTwo = pairs.filter((pair) => !pair.same);
  let sum = 0;
  for (const a of ofOne) {
    for (const b of ofTwo) sum += a.distance < b.distance ? 1 : a.distance === b.distance ? 0.5 : 0;
  }
  return sum / (ofOne.length * ofTwo.length);
}

/** max TAR(t) over thresholds t with FAR(t) <= far. */
export function trueAcceptAt(pairs: readonly ScoredPair[], far: number): number {
  const allowed = thresholds(pairs).map((threshold) => rates(pairs, threshold));
  return Math.max(...allowed.filter((rate) => rate.falseAccept <= far).map((rate) => rate.trueAccept));
}

/** min 1 - TAR(t) over thresholds t with FAR(t) <= far: the DET curve. */
export const falseRejectAt = (pairs: readonly ScoredPair[], far: number) => 1 - trueAcceptAt(pairs, far);

/** Where the straight lines between the points of the curve meet FAR = 1 - TAR. */
export function equalErrorRate(pairs: readonly ScoredPair[]): number {
  const points = thresholds(pairs).map((threshold) => rates(pairs, threshold));
  const at = points.findIndex(({ falseAccept, trueAccept }) => falseAccept >= 1 - trueAccept);
  const [a, b] = [points[at - 1], points[at]];
  // FAR_a + s (FAR_b - FAR_a) = 1 - TAR_a - s (TAR_b - TAR_a)
  const s = (1 - a.trueAccept - a.falseAccept) / (b.falseAccept - a.falseAccept + b.trueAccept - a.trueAccept);
  return a.falseAccept + s * (b.falseAccept - a.falseAccept);
}

/** The value with the share `level` of an ascending list below it, between neighbors by linear interpolation. */
export function quantile(values: readonly number[], share: number): number {
  const ascending = [...values].sort((a, b) => a - b);
  const position = share * (ascending.length - 1);
  const [below, above] = [ascending[Math.floor(position)], ascending[Math.ceil(position)]];
  return below + (above - below) * (position % 1);
}
