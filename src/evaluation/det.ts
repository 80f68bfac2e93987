// The detection error trade-off (DET): false rejects against false accepts (A. Martin et al. 1997). Both axes are
// normal deviates, so that normally distributed distances give a straight line: see `normalQuantile`.
import type { RocPoint } from "./metrics.ts";

/** A point of the detection error tradeoff curve (Martin et al. 1997). */
export interface DetPoint {
  /** Threshold of the distance. */
  threshold: number;
  /** False-accept rate: share of impostor pairs accepted. */
  falseAccept: number;
  /** False-reject rate: share of genuine pairs rejected. */
  falseReject: number;
}

/**
 * At each false-accept rate 10^(-n / perDecade), from 1 down to the lowest above 0 that occurs, and at 0: the curve's
 * point with the fewest false rejects among those with no more false accepts. Points that several rates share come once,
 * in ascending order of false accepts.
 * @example
 * ```ts
 * const points = detCurve(roc(scored));
 * ```
 */
export function detCurve(points: readonly RocPoint[], perDecade = 10): DetPoint[] {
  const occurring = points.map((point) => point.falseAccept).filter((far) => far > 0);
  const decades = -Math.log10(Math.min(1, ...occurring));
  const rates = Array.from({ length: Math.ceil(decades * perDecade) + 1 }, (_, n) => 10 ** (-n / perDecade));
  const found = new Map<number, DetPoint>();
  for (const rate of [0, ...rates.reverse()]) {
    let best: RocPoint | undefined;
    for (const point of points) {
      if (point.falseAccept > rate) break;
      if (Number.isFinite(point.threshold) && !(best && best.trueAccept >= point.trueAccept)) best = point;
    }
    if (!best) continue;
    const { threshold, falseAccept, trueAccept } = best;
    found.set(threshold, { threshold, falseAccept, falseReject: 1 - trueAccept });
  }
  return [...found.values()];
}
