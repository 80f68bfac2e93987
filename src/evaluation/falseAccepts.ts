// The threshold for a target false-accept rate, with confidence intervals.
import type { EvaluationPair } from "../data/sampling/evaluationPairs.ts";
import { TwingradError } from "../errors.ts";
import { type BootstrapOptions, bootstrapOptions, denseNumbers, type Interval, shareInterval } from "./bootstrap.ts";
import { roc, type ScoredPair } from "./metrics.ts";

/** A target false-accept rate, the rate achieved, and its confidence interval. */
export interface CalibratedRate {
  /** The target false-accept rate. */
  wanted: number;
  /** The share of impostor pairs that the threshold accepts: at most the target. */
  falseAccept: number;
  /** Confidence interval of `falseAccept`. */
  falseAcceptInterval: Interval;
  /** The share of genuine pairs that it accepts. */
  trueAccept: number;
  /** Confidence interval of `trueAccept`. */
  trueAcceptInterval: Interval;
  /** The confidence level of the intervals. */
  level: number;
  /** How many pairs it was set on. */
  pairs: {
    /** Genuine pairs. */
    same: number;
    /** Impostor pairs. */
    different: number;
  };
  /** How many identities the pairs show. */
  identities: number;
}

/** Whether a value read from a file is valid. */
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
 * The largest distance that occurs at which at most the share `far` of the impostor pairs is accepted. Where even the
 * nearest pairs exceed it, a value below every distance, which accepts nothing.
 * @throws BAD_INPUT for a rate outside (0, 1), or without pairs of both kinds.
 * @param far - the target false-accept rate, as a share.
 * @returns The threshold, and the rates that it achieves on these pairs.
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
    throw new TwingradError(
      "BAD_INPUT",
      `Invalid false-accept rate ${far}: expected a number between 0 and 1, such as 0.001.`,
    );
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
  const [genuine, impostor] = [outcomes(true), outcomes(false)];
  return {
    threshold,
    rate: {
      wanted: far,
      falseAccept,
      falseAcceptInterval: shareInterval(impostor, options),
      trueAccept,
      trueAcceptInterval: shareInterval(genuine, options),
      level: bootstrapOptions(options).level,
      pairs: { same: genuine.length, different: impostor.length },
      identities: denseNumbers([...genuine, ...impostor].flatMap(({ identities }) => identities)).count,
    },
  };
}
