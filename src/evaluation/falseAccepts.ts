// A threshold for a wanted false-accept rate, and how well it is known.
import type { EvaluationPair } from "../data/sampling/evaluationPairs.ts";
import { TwingradError } from "../errors.ts";
import { type BootstrapOptions, bootstrapOptions, denseNumbers, type Interval, shareInterval } from "./bootstrap.ts";
import { roc, type ScoredPair } from "./metrics.ts";

/** A rate wanted of the pairs of two identities, what was reached, and how well that is known. */
export interface CalibratedRate {
  /** The false-accept rate that was asked for. */
  wanted: number;
  /** Share of the pairs of two identities that the threshold accepts: at most what was wanted. */
  falseAccept: number;
  /** Of `falseAccept`. */
  falseAcceptInterval: Interval;
  /** Share of the pairs of one identity that it accepts. */
  trueAccept: number;
  /** Of `trueAccept`. */
  trueAcceptInterval: Interval;
  /** The chance that an interval holds the rate of the population. */
  level: number;
  /** How many pairs it was set on. */
  pairs: {
    /** Genuine pairs. */ same: number /** Impostor pairs. */;
    different: number;
  };
  /** How many identities the pairs show. */
  identities: number;
}

/** Whether a value read from a file is one. */
export function isCalibratedRate(value: unknown): value is CalibratedRate {
  const { wanted, falseAccept, trueAccept, level, identities, ...rest } = (value ?? {}) as CalibratedRate;
  const intervals = [rest.falseAcceptInterval, rest.trueAcceptInterval];
  const numbers = [wanted, falseAccept, trueAccept, level, identities, rest.pairs?.same, rest.pairs?.different];
  return (
    numbers.every(Number.isFinite) &&
    intervals.every((own) => Array.isArray(own) && own.length === 2 && own.every(Number.isFinite))
  );
}

/**
 * The largest distance of a pair up to which no more than the share `far` of the pairs of two identities is accepted; where
 * already the nearest pairs are too many, a value below every distance, which accepts nobody.
 * @throws BAD_INPUT for a rate outside (0, 1), or without pairs of both kinds.
 * @param far - the wanted false-accept rate, as a share.
 * @returns The threshold, and what it reaches on these pairs.
 * @example
 * ```ts
 * const { threshold, rate } = thresholdAt(scored, scored, labels, 0.001);
 * ```
 */
export function thresholdAt(
  scored: readonly ScoredPair[],
  pairs: readonly Pick<EvaluationPair, "left" | "right">[],
  labels: ArrayLike<number>,
  far: number,
  options: BootstrapOptions = {},
): { threshold: number; rate: CalibratedRate } {
  if (!(far > 0 && far < 1)) {
    throw new TwingradError("BAD_INPUT", `a false-accept rate lies between 0 and 1, as 0.001 does; not ${far}`);
  }
  const points = roc(scored);
  const allowed = points.filter((point) => point.falseAccept <= far);
  const { falseAccept, trueAccept, ...last } = allowed[allowed.length - 1];
  const least = points[1].threshold;
  const threshold = allowed.length > 1 ? last.threshold : least - (Math.abs(least) + 1) / 1000;
  const outcomes = (same: boolean) =>
    scored.flatMap((pair, n) => {
      if (pair.same !== same) return [];
      const identities = [labels[pairs[n].left], labels[pairs[n].right]];
      return [{ hit: pair.distance <= threshold, identities }];
    });
  const [ofOne, ofTwo] = [outcomes(true), outcomes(false)];
  return {
    threshold,
    rate: {
      wanted: far,
      falseAccept,
      falseAcceptInterval: shareInterval(ofTwo, options),
      trueAccept,
      trueAcceptInterval: shareInterval(ofOne, options),
      level: bootstrapOptions(options).level,
      pairs: { same: ofOne.length, different: ofTwo.length },
      identities: denseNumbers([...ofOne, ...ofTwo].flatMap(({ identities }) => identities)).count,
    },
  };
}
