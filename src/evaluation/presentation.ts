// Metrics of presentation attack detection (liveness) after ISO/IEC 30107-3: a presentation is bona fide (a live
// person) or an attack (print, replay), and it is accepted as bona fide when its score is at least the threshold.

import { Random, streams } from "../data/random.ts";
import { type LivenessDataset, peopleByKind, peopleOfKinds } from "../data/sources/livenessDataset.ts";
import { TwingradError } from "../errors.ts";
import { fitCalibration } from "./calibration.ts";
import { areaUnderCurve, equalErrorRate, roc } from "./metrics.ts";

/** A picture's score, larger for more likely bona fide, and its true kind. */
export interface Presentation {
  /** Larger means more likely bona fide. */
  readonly score: number;
  /** True for a bona fide presentation. */
  readonly live: boolean;
}

/** Error rates of a liveness decision, as ISO/IEC 30107-3 defines them, as shares. */
export interface PresentationErrors {
  /** Attack presentation classification error rate: the share of attacks accepted. */
  apcer: number;
  /** Bona fide presentation classification error rate: the share of bona fide presentations rejected. */
  bpcer: number;
  /**
   * Half total error rate, (APCER + BPCER) / 2; with one kind of attack also the average classification error rate,
   * ACER.
   */
  hter: number;
}

/**
 * The error rates of a threshold: presentations with a lower score are classified as attacks.
 * @throws BAD_INPUT without presentations of both kinds, or with a score that is not a number.
 * @example
 * ```ts
 * errorsAt([{ score: 0.9, live: true }, { score: 0.6, live: false }], 0.5); // { apcer: 1, bpcer: 0, hter: 0.5 }
 * ```
 */
export function errorsAt(presentations: readonly Presentation[], threshold: number): PresentationErrors {
  return errors(
    presentations,
    presentations.map(() => threshold),
  );
}

/** Error rates with a separate threshold for each presentation. */
function errors(presentations: readonly Presentation[], thresholds: readonly number[]): PresentationErrors {
  check(presentations);
  const wrong = { live: 0, attack: 0 };
  const all = { live: 0, attack: 0 };
  for (const [i, { score, live }] of presentations.entries()) {
    const kind = live ? "live" : "attack";
    all[kind]++;
    if (score >= thresholds[i] !== live) wrong[kind]++;
  }
  const [apcer, bpcer] = [wrong.attack / all.attack, wrong.live / all.live];
  return { apcer, bpcer, hter: (apcer + bpcer) / 2 };
}

/**
 * The threshold to use on other presentations: where a logistic regression on the scores gives even odds
 * (`fitCalibration`). The equal-error-rate point would do where the kinds overlap; otherwise it lies anywhere in a gap
 * between two outliers, and one outlier then decides about other people. Where scores are no higher for bona fide
 * presentations, the midpoint of the two means; the error rates show it.
 * @throws as `errorsAt`.
 * @example
 * ```ts
 * const threshold = thresholdOf([{ score: 0.9, live: true }, { score: 0.2, live: false }]);
 * ```
 */
export function thresholdOf(presentations: readonly Presentation[]): number {
  check(presentations);
  const { slope, intercept } = fitCalibration(
    presentations.map(({ score, live }) => ({ distance: -score, same: live })),
  );
  if (slope > 0) return -intercept / slope;
  const means = [true, false].map((kind) => {
    const own = presentations.filter(({ live }) => live === kind);
    return own.reduce((sum, { score }) => sum + score, 0) / own.length;
  });
  return (means[0] + means[1]) / 2;
}

/** How well scores tell bona fide presentations from attacks. */
export interface LivenessReport extends PresentationErrors {
  /** The number of bona fide presentations. */
  live: number;
  /** The number of presentation attacks. */
  spoof: number;
  /** Equal error rate, independent of the threshold: where APCER equals BPCER. */
  eer: number;
  /** The probability that a bona fide presentation scores higher than an attack. */
  auc: number;
  /** On the scale of the scores. */
  threshold: number;
}

/**
 * The metrics at a threshold that was set on other people. @throws as `errorsAt`.
 * @example
 * ```ts
 * const { apcer, bpcer, hter } = livenessReport([{ score: 0.9, live: true }, { score: 0.2, live: false }], 0.5);
 * ```
 */
export function livenessReport(presentations: readonly Presentation[], threshold: number): LivenessReport {
  return { ...errorsAt(presentations, threshold), ...counted(presentations), threshold };
}

/**
 * The metrics where the threshold is set on the same people, cross-fitted: each is scored at the threshold of the
 * people in the other folds (ten folds, or one for each person), so that no one's own scores set their threshold.
 * `threshold` is fitted to all.
 * @param presentations one for each picture of `dataset`.
 * @throws BAD_INPUT unless each kind has two people.
 * @example
 * ```ts
 * const livenessModel = await LivenessModel.open(device, bytes);
 * const scores = await livenessModel.scores(images);
 * const presentations = livenessDataset.items.map(({ live }, i) => ({ score: scores[i]!, live }));
 * console.log(crossFittedReport(presentations, livenessDataset).hter);
 * ```
 */
export function crossFittedReport(presentations: readonly Presentation[], dataset: LivenessDataset): LivenessReport {
  requirePeople(dataset);
  const order = peopleByKind(dataset, new Random(0, streams.folds));
  const count = Math.min(10, order.length);
  const fold = new Map(order.map((person, place) => [person, place % count]));
  const foldOf = (picture: number) => fold.get(dataset.items[picture].identity)!;
  const thresholds = Array.from({ length: count }, (_, own) =>
    thresholdOf(presentations.filter((_, picture) => foldOf(picture) !== own)),
  );
  return {
    ...errors(
      presentations,
      presentations.map((_, picture) => thresholds[foldOf(picture)]),
    ),
    ...counted(presentations),
    threshold: thresholdOf(presentations),
  };
}

function requirePeople(dataset: LivenessDataset): void {
  const { live, spoof } = peopleOfKinds(dataset);
  if (live >= 2 && spoof >= 2) return;
  throw new TwingradError(
    "BAD_INPUT",
    `setting a threshold on other people needs 2 people in live pictures and 2 in spoofs; there are ${live} and ${spoof}`,
  );
}

function counted(presentations: readonly Presentation[]) {
  // As for pairs: a smaller distance is more likely bona fide, and a false accept is an accepted attack.
  const points = roc(presentations.map(({ score, live }) => ({ distance: -score, same: live })));
  const live = presentations.filter((presentation) => presentation.live).length;
  return { live, spoof: presentations.length - live, eer: equalErrorRate(points), auc: areaUnderCurve(points) };
}

function check(presentations: readonly Presentation[]): void {
  const live = presentations.filter((presentation) => presentation.live).length;
  if (live === 0 || live === presentations.length) {
    throw new TwingradError(
      "BAD_INPUT",
      `liveness is evaluated on live pictures and spoofs; there are ${live} and ${presentations.length - live} pictures`,
    );
  }
  if (presentations.some(({ score }) => Number.isNaN(score))) {
    throw new TwingradError("BAD_INPUT", "a picture's score is NaN; expected a number");
  }
}
