// Confidence intervals of metrics over identities. Pairs that share an identity are not independent, so identities are
// resampled, not pairs: docs/decisions/2026-11-24-intervals-by-identities.md.
import { Random, streams } from "../data/random.ts";
import { TwingradError } from "../errors.ts";
import { checkOptions } from "../options.ts";

/** A confidence interval. */
export type Interval = readonly [lower: number, upper: number];

/**
 * Options of the bootstrap. It resamples identities, not pairs, because the pairs of an identity are not independent.
 */
export interface BootstrapOptions {
  /** Number of bootstrap resamples. @default 1000 */
  readonly resamples?: number;
  /** Confidence level: the probability that the interval holds the true value. @default 0.95 */
  readonly level?: number;
  /** Seed of the resampling. @default 0 */
  readonly seed?: number;
}

const bootstrapDefaults = { resamples: 1000, level: 0.95, seed: 0 } as const;

/** The options with their defaults. @throws BAD_INPUT for an invalid option. */
export function bootstrapOptions(options: BootstrapOptions): Required<BootstrapOptions> {
  checkOptions("intervals", options, { resamples: "finite number", level: "finite number", seed: "finite number" });
  return { ...bootstrapDefaults, ...options };
}

/**
 * The multiplicity of each of `count` identities in a resample of `count` draws with replacement. The array is
 * overwritten for the next resample. A genuine pair of identity i counts w_i times, an impostor pair of i and j w_i w_j
 * times; pairs of an identity and its own repetition are left out.
 */
export function* resampled(count: number, options: BootstrapOptions = {}): Generator<Uint16Array> {
  const { resamples, seed } = bootstrapOptions(options);
  const weights = new Uint16Array(count);
  for (let resample = 0; resample < resamples; resample++) {
    const random = new Random(seed, streams.bootstrap, resample);
    weights.fill(0);
    for (let draw = 0; draw < count; draw++) weights[random.integer(count)]++;
    yield weights;
  }
}

/** The middle `level` of the values (B. Efron's percentile interval), widened to the estimate where it lies outside. */
export function percentileInterval(values: readonly number[], estimate: number, level: number): Interval {
  const ascending = Float64Array.from(values).sort();
  const quantile = (share: number) => {
    const position = share * (ascending.length - 1);
    const below = ascending[Math.floor(position)];
    return below + (position - Math.floor(position)) * (ascending[Math.ceil(position)] - below);
  };
  if (ascending.length === 0) return [estimate, estimate];
  return [Math.min(estimate, quantile((1 - level) / 2)), Math.max(estimate, quantile((1 + level) / 2))];
}

/**
 * E. Wilson's interval (1927) for a proportion of `count` independent trials. For 0 of 300 its upper end is 1.3 %,
 * while a bootstrap, which has no error to draw, gives 0.
 */
export function wilsonInterval(share: number, count: number, level: number): Interval {
  const z = -normalQuantile((1 - level) / 2);
  const spread = z * Math.sqrt((share * (1 - share)) / count + z ** 2 / (4 * count ** 2));
  const middle = share + z ** 2 / (2 * count);
  const scale = 1 + z ** 2 / count;
  // Rounding must not exclude an estimate of 0 or 1.
  return [
    Math.max(0, Math.min(share, (middle - spread) / scale)),
    Math.min(1, Math.max(share, (middle + spread) / scale)),
  ];
}

/**
 * A bootstrap interval of a proportion, joined with Wilson's. `units` is the number of independent units: identities.
 */
export function joined(
  bootstrap: Interval,
  share: number,
  counts: { outcomes: number; units: number },
  level: number,
): Interval {
  const degenerate = share === 0 || share === 1 || counts.units === 1; // all resamples have this share
  return enclosing(bootstrap, wilsonInterval(share, degenerate ? counts.units : counts.outcomes, level));
}

/** The narrowest interval that holds both. */
export function enclosing([a, b]: Interval, [c, d]: Interval): Interval {
  return [Math.min(a, c), Math.max(b, d)];
}

/** Whether an event happened, and the one or two identities involved. */
export interface Outcome {
  readonly hit: boolean;
  readonly identities: readonly number[];
}

/**
 * The interval of the proportion of hits: the bootstrap's, joined with Wilson's over the outcomes. Where all outcomes
 * are equal, or all are of one identity or one pair of identities, the bootstrap is degenerate; Wilson's interval then
 * counts identities, or pairs of identities, since more pictures of the same two say little about others.
 * @throws BAD_INPUT without an outcome.
 */
export function shareInterval(outcomes: readonly Outcome[], options: BootstrapOptions = {}): Interval {
  if (outcomes.length === 0) throw new TwingradError("BAD_INPUT", "a proportion needs at least one outcome");
  const { level } = bootstrapOptions(options);
  const dense = denseNumbers(outcomes.flatMap(({ identities }) => identities));
  const left = Int32Array.from(outcomes, ({ identities }) => dense.of(identities[0]));
  const right = Int32Array.from(outcomes, ({ identities }) => dense.of(identities[identities.length - 1]));
  const hit = Uint8Array.from(outcomes, (outcome) => (outcome.hit ? 1 : 0));
  const shares: number[] = [];
  for (const weights of resampled(dense.count, options)) {
    let [hits, all] = [0, 0];
    for (let n = 0; n < hit.length; n++) {
      const weight = left[n] === right[n] ? weights[left[n]] : weights[left[n]] * weights[right[n]];
      all += weight;
      hits += weight * hit[n];
    }
    if (all > 0) shares.push(hits / all);
  }
  const share = outcomes.filter((outcome) => outcome.hit).length / outcomes.length;
  const units = new Set(
    outcomes.map((_, n) => Math.min(left[n], right[n]) * dense.count + Math.max(left[n], right[n])),
  );
  return joined(
    percentileInterval(shares, share, level),
    share,
    { outcomes: outcomes.length, units: units.size },
    level,
  );
}

/** The numbers that occur, renumbered from 0 in ascending order. */
export function denseNumbers(numbers: Iterable<number>): { count: number; of: (number: number) => number } {
  const ascending = [...new Set(numbers)].sort((a, b) => a - b);
  const positions = new Map(ascending.map((number, position) => [number, position]));
  return { count: ascending.length, of: (number) => positions.get(number)! };
}

/**
 * The quantile function of the standard normal distribution, 0 < p < 1: P. Acklam's rational approximation (2003),
 * relative error below 1.2e-9.
 */
export function normalQuantile(p: number): number {
  if (p > 0.5) return -normalQuantile(1 - p);
  const polynomial = (x: number, coefficients: number[]) => coefficients.reduce((sum, c) => sum * x + c, 0);
  if (p < 0.02425) {
    const q = Math.sqrt(-2 * Math.log(p));
    return (
      polynomial(
        q,
        [
          -7.784894002430293e-3, -3.223964580411365e-1, -2.400758277161838, -2.549732539343734, 4.374664141464968,
          2.938163982698783,
        ],
      ) / polynomial(q, [7.784695709041462e-3, 3.224671290700398e-1, 2.445134137142996, 3.754408661907416, 1])
    );
  }
  const q = p - 0.5;
  const r = q * q;
  return (
    (q *
      polynomial(
        r,
        [
          -3.969683028665376e1, 2.209460984245205e2, -2.759285104469687e2, 1.38357751867269e2, -3.066479806614716e1,
          2.506628277459239,
        ],
      )) /
    polynomial(
      r,
      [-5.447609879822406e1, 1.615858368580409e2, -1.556989798598866e2, 6.680131188771972e1, -1.328068155288572e1, 1],
    )
  );
}
