// Confidence intervals of the verification metrics: the ROC curve is recomputed for each resample of the identities.
import type { EvaluationPair } from "../data/sampling/evaluationPairs.ts";
import {
  type BootstrapOptions,
  bootstrapOptions,
  denseNumbers,
  type Interval,
  joined,
  percentileInterval,
  resampled,
} from "./bootstrap.ts";
import { areaUnderCurve, equalErrorRate, type RocPoint, roc, type ScoredPair, trueAcceptAt } from "./metrics.ts";

/** Confidence intervals of a verification report. */
export interface VerificationIntervals {
  /** The confidence level. */
  level: number;
  /** The number of resamples. */
  resamples: number;
  /** The number of identities in the pairs. */
  identities: number;
  /** Interval of the area under the ROC curve. */
  auc: Interval;
  /** Interval of the equal error rate. */
  eer: Interval;
  /** Interval of the true-accept rate at each false-accept rate, as in the report. */
  tarAtFar: Record<string, Interval>;
}

/** With two identities, all resamples that have pairs of both kinds are the same. */
const fewestIdentities = 3;

/**
 * Confidence intervals by bootstrapping identities: every resample draws identities with replacement.
 * @param fars - the false-accept rates, as the keys of the result: "0.01".
 * @returns null for fewer than three identities, which are too few for an interval.
 * @throws BAD_INPUT for a level or number of resamples out of range, or without pairs of both kinds.
 * @example
 * ```ts
 * const intervals = verificationIntervals(scored, scored, labels, ["0.01"]);
 * if (intervals) console.log(`AUC between ${intervals.auc[0]} and ${intervals.auc[1]}`);
 * ```
 */
export function verificationIntervals(
  scored: readonly ScoredPair[],
  pairs: readonly Pick<EvaluationPair, "left" | "right">[],
  labels: ArrayLike<number>,
  fars: readonly string[],
  options: BootstrapOptions = {},
): VerificationIntervals | null {
  const { level, resamples } = bootstrapOptions(options);
  const { count, of } = denseNumbers(pairs.flatMap(({ left, right }) => [labels[left], labels[right]]));
  if (count < fewestIdentities) return null;
  const curve = new WeightedCurve(
    scored,
    pairs.map(({ left, right }) => [of(labels[left]), of(labels[right])]),
  );
  const drawn = { auc: [] as number[], eer: [] as number[], tarAtFar: fars.map(() => [] as number[]) };
  for (const weights of resampled(count, options)) {
    const points = curve.points(weights);
    if (!points) continue; // the resample lacks genuine or impostor pairs
    drawn.auc.push(areaUnderCurve(points));
    drawn.eer.push(equalErrorRate(points));
    for (const [n, far] of fars.entries()) drawn.tarAtFar[n].push(trueAcceptAt(points, Number(far)));
  }
  const points = roc(scored);
  const genuine = scored.filter((pair) => pair.same).length;
  const genuineIdentities = new Set(pairs.flatMap(({ left }, n) => (scored[n].same ? [labels[left]] : []))).size;
  const rate = (far: string, n: number): [string, Interval] => {
    const estimate = trueAcceptAt(points, Number(far));
    const bootstrap = percentileInterval(drawn.tarAtFar[n], estimate, level);
    return [far, joined(bootstrap, estimate, { outcomes: genuine, units: genuineIdentities }, level)];
  };
  return {
    level,
    resamples,
    identities: count,
    auc: percentileInterval(drawn.auc, areaUnderCurve(points), level),
    eer: percentileInterval(drawn.eer, equalErrorRate(points), level),
    tarAtFar: Object.fromEntries(fars.map(rate)),
  };
}

/** `roc` of weighted pairs, sorted once for all resamples. */
class WeightedCurve {
  readonly #left: Int32Array;
  readonly #right: Int32Array;
  readonly #same: Uint8Array;
  /** Whether the next pair has a different distance. */
  readonly #last: Uint8Array;
  readonly #points: RocPoint[];

  constructor(scored: readonly ScoredPair[], identities: readonly (readonly [number, number])[]) {
    const order = scored.map((_, n) => n).sort((a, b) => scored[a].distance - scored[b].distance);
    this.#left = Int32Array.from(order, (n) => identities[n][0]);
    this.#right = Int32Array.from(order, (n) => identities[n][1]);
    this.#same = Uint8Array.from(order, (n) => (scored[n].same ? 1 : 0));
    this.#last = Uint8Array.from(order, (n, at) => (scored[order[at + 1]]?.distance === scored[n].distance ? 0 : 1));
    const distances = [Number.NEGATIVE_INFINITY, ...order.map((n) => scored[n].distance)];
    const places = [0, ...order.flatMap((_, at) => (this.#last[at] ? [at + 1] : []))];
    this.#points = places.map((at) => ({ threshold: distances[at], falseAccept: 0, trueAccept: 0 }));
  }

  /** Valid until the next call; undefined where all genuine or all impostor pairs have weight 0. */
  points(weights: Uint16Array): readonly RocPoint[] | undefined {
    let [genuine, impostor, place] = [0, 0, 1];
    for (let at = 0; at < this.#same.length; at++) {
      if (this.#same[at]) genuine += weights[this.#left[at]];
      else impostor += weights[this.#left[at]] * weights[this.#right[at]];
      if (this.#last[at] === 0) continue;
      this.#points[place].trueAccept = genuine;
      this.#points[place++].falseAccept = impostor;
    }
    if (genuine === 0 || impostor === 0) return undefined;
    for (const point of this.#points) {
      point.trueAccept /= genuine;
      point.falseAccept /= impostor;
    }
    return this.#points;
  }
}
