// How well scores tell live people from pictures of people, in the terms of ISO/IEC 30107-3: a presentation is bona fide (a
// live person) or an attack (a picture of one), and it is taken for live when its score is at least the threshold.

import { Random, streams } from "../data/random.ts";
import { type LivenessDataset, peopleByKind, peopleOfKinds } from "../data/sources/livenessDataset.ts";
import { TwingradError } from "../errors.ts";
import { fitCalibration } from "./calibration.ts";
import { areaUnderCurve, equalErrorRate, roc } from "./metrics.ts";

/** A picture's score, larger for more surely live, and what it truly is. */
export interface Presentation {
  /** Larger for more surely live. */
  readonly score: number;
  /** True for a bona fide presentation. */
  readonly live: boolean;
}

/** Error rates of a liveness decision, as ISO/IEC 30107-3 defines them, as shares. */
export interface PresentationErrors {
  /** Attack presentation classification error rate: the share of pictures of pictures taken for live. */
  apcer: number;
  /** Bona fide presentation classification error rate: the share of live people refused. */
  bpcer: number;
  /** Half total error rate, (APCER + BPCER) / 2; with one kind of attack also the average classification error rate, ACER. */
  hter: number;
}

/**
 * The error rates of a threshold: presentations that score less are taken for attacks.
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

/** Each presentation judged by a threshold of its own. */
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
 * The threshold that a set of presentations gives for others: where a logistic regression of their kinds on their scores comes
 * to even odds (`fitCalibration`). The point of equal error rates would do where the kinds overlap; where they do not it is
 * anywhere in a gap between two outliers, and one of those decides how other people are judged. Scores that are no higher
 * for live people tell nothing: halfway between the means then, and the error rates say so.
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
  /** How many of each kind were judged. */
  live: number;
  /** How many presentation attacks. */
  spoof: number;
  /** Equal error rate, whatever the threshold: where APCER and BPCER meet. */
  eer: number;
  /** The chance that a live person scores higher than a picture of one. */
  auc: number;
  /** On the scale of the scores. */
  threshold: number;
}

/**
 * The figures at a threshold that was set on other people. @throws as `errorsAt`.
 * @example
 * ```ts
 * const { apcer, bpcer, hter } = livenessReport([{ score: 0.9, live: true }, { score: 0.2, live: false }], 0.5);
 * ```
 */
export function livenessReport(presentations: readonly Presentation[], threshold: number): LivenessReport {
  return { ...errorsAt(presentations, threshold), ...counted(presentations), threshold };
}

/**
 * The figures where the threshold is set on the same people: each is judged by the threshold of the people in the other
 * folds, ten of them or one for each person, so that nobody helps to judge themselves. `threshold` is that of all.
 * @param presentations one for each picture of `dataset`.
 * @throws BAD_INPUT unless each kind has two people.
 * @example
 * ```ts
 * const judge = await LivenessModel.open(device, bytes);
 * const scores = await judge.scores(images);
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
    `a threshold for people who did not help to set it needs 2 live people and 2 people in pictures; there are ${live} and ${spoof}`,
  );
}

function counted(presentations: readonly Presentation[]) {
  // As of a pair: at a smaller distance more surely live, and a false accept is an attack that passes.
  const points = roc(presentations.map(({ score, live }) => ({ distance: -score, same: live })));
  const live = presentations.filter((presentation) => presentation.live).length;
  return { live, spoof: presentations.length - live, eer: equalErrorRate(points), auc: areaUnderCurve(points) };
}

function check(presentations: readonly Presentation[]): void {
  const live = presentations.filter((presentation) => presentation.live).length;
  if (live === 0 || live === presentations.length) {
    throw new TwingradError(
      "BAD_INPUT",
      `liveness is judged on live people and on pictures of people; there are ${live} and ${presentations.length - live} pictures`,
    );
  }
  if (presentations.some(({ score }) => Number.isNaN(score))) {
    throw new TwingradError("BAD_INPUT", "a picture's score is not a number");
  }
}
