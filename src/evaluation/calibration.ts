// From a distance to a probability: logistic regression on labeled pairs.
// J. Platt, "Probabilistic outputs for support vector machines", 1999, with its smoothed targets: they keep the slope
// finite when the distances separate the pairs perfectly.
import { TwingradError } from "../errors.ts";
import type { ScoredPair } from "./metrics.ts";

/** P(same) = 1 / (1 + exp(slope * distance - intercept)). */
export interface Calibration {
  /** Per unit of distance; positive where a larger distance means less alike. */
  slope: number;
  /** The log-odds of a genuine pair at distance 0. */
  intercept: number;
}

/**
 * The probability that a pair at this distance is genuine, at even prior odds.
 * @example
 * ```ts
 * probabilityOf(fitCalibration(scored), 0.7); // between 0 and 1
 * ```
 */
export function probabilityOf({ slope, intercept }: Calibration, distance: number): number {
  return 1 / (1 + Math.exp(slope * distance - intercept));
}

/**
 * The calibration of least cross-entropy on the pairs, by Newton's method with step halving (H.-T. Lin et al. 2007).
 * @throws BAD_INPUT without pairs of both kinds.
 * @example
 * ```ts
 * const calibration = fitCalibration(scored);
 * ```
 */
export function fitCalibration(pairs: readonly ScoredPair[]): Calibration {
  const same = pairs.filter((pair) => pair.same).length;
  const different = pairs.length - same;
  if (same === 0 || different === 0) {
    throw new TwingradError(
      "BAD_INPUT",
      `calibration needs genuine and impostor pairs; there are ${same} and ${different}`,
    );
  }
  const targetSame = (same + 1) / (same + 2);
  const targetDifferent = 1 / (different + 2);
  // Centered and scaled distances make Newton's equations well conditioned whatever the unit.
  const mean = pairs.reduce((sum, pair) => sum + pair.distance, 0) / pairs.length;
  const variance = pairs.reduce((sum, pair) => sum + (pair.distance - mean) ** 2, 0) / pairs.length;
  const scale = Math.sqrt(variance) || 1;
  const samples = pairs.map((pair) => ({
    x: (pair.distance - mean) / scale,
    target: pair.same ? targetSame : targetDifferent,
  }));

  // The logit is intercept - slope * x; cross-entropy in its stable form max(z, 0) - z t + log(1 + exp(-|z|)).
  const lossOf = (slope: number, intercept: number) =>
    samples.reduce((sum, { x, target }) => {
      const z = intercept - slope * x;
      return sum + Math.max(z, 0) - z * target + Math.log1p(Math.exp(-Math.abs(z)));
    }, 0);
  let slope = 0;
  let intercept = Math.log((same + 1) / (different + 1));
  let loss = lossOf(slope, intercept);
  for (let iteration = 0; iteration < 100; iteration++) {
    let [gradientSlope, gradientIntercept, h11, h12, h22] = [0, 0, 1e-12, 0, 1e-12];
    for (const { x, target } of samples) {
      const p = 1 / (1 + Math.exp(slope * x - intercept));
      gradientSlope += (target - p) * x;
      gradientIntercept += p - target;
      const weight = p * (1 - p);
      h11 += weight * x * x;
      h12 -= weight * x;
      h22 += weight;
    }
    if (Math.hypot(gradientSlope, gradientIntercept) < 1e-9 * samples.length) break;
    const determinant = h11 * h22 - h12 * h12;
    const stepSlope = (h22 * gradientSlope - h12 * gradientIntercept) / determinant;
    const stepIntercept = (h11 * gradientIntercept - h12 * gradientSlope) / determinant;
    let share = 1;
    let next = lossOf(slope - stepSlope, intercept - stepIntercept);
    while (next > loss && share > 1e-10) {
      share /= 2;
      next = lossOf(slope - share * stepSlope, intercept - share * stepIntercept);
    }
    slope -= share * stepSlope;
    intercept -= share * stepIntercept;
    loss = next;
  }
  return { slope: slope / scale, intercept: intercept + (slope * mean) / scale };
}
