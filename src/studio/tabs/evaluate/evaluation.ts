// Evaluates a model on the held-out identities.
import { type Dataset, labelsOf } from "../../../data/dataset.ts";
import type { EvaluationPair } from "../../../data/sampling/evaluationPairs.ts";
import { TwingradError } from "../../../errors.ts";
import { type Outcome, shareInterval } from "../../../evaluation/bootstrap.ts";
import { detCurve } from "../../../evaluation/det.ts";
import { type VerificationIntervals, verificationIntervals } from "../../../evaluation/intervals.ts";
import { type RocPoint, roc, type ScoredPair } from "../../../evaluation/metrics.ts";
import { falseAcceptRates, type VerificationReport } from "../../../evaluation/verificationReport.ts";
import type { Device } from "../../../gpu/device.ts";
import { evaluateModel } from "../../../recognition/evaluateModel.ts";
import { Model } from "../../../recognition/recognitionModel.ts";
import type { ComparedPair, Figure, ModelEvaluation } from "../../messages.ts";
import { evaluationDataset, heldOutPairs } from "../../worker/training/heldOut.ts";

/** How many of the worst mistakes of each kind are shown. */
const mostShown = 24;
/** The largest number of points of a curve to draw. */
const mostPoints = 400;

type Scored = EvaluationPair & ScoredPair;

/** An evaluation with everything that later requests need. */
export interface Evaluated {
  readonly dataset: Dataset;
  readonly labels: Int32Array;
  readonly scored: readonly Scored[];
  readonly report: VerificationReport;
  /** Null with too few identities. */
  readonly intervals: VerificationIntervals | null;
  readonly curve: readonly RocPoint[];
  readonly threshold: number;
}

export async function evaluated(
  device: Device,
  bytes: Uint8Array,
  heldOut: Dataset,
  told: (done: number, total: number) => void,
): Promise<Evaluated> {
  const dataset = evaluationDataset(heldOut);
  if (!dataset) {
    throw new TwingradError(
      "BAD_INPUT",
      "Evaluation needs at least two held-out people with two pictures each: hold out more people in the Data tab.",
    );
  }
  const model = await Model.open(device, bytes);
  try {
    const labels = labelsOf(dataset);
    const pairs = heldOutPairs(dataset);
    const total = dataset.items.length;
    const { report, scored } = await evaluateModel(model, dataset, pairs, undefined, (done) => told(done, total));
    const intervals = verificationIntervals(scored, scored, labels, falseAcceptRates);
    return { dataset, labels, scored, report, intervals, curve: roc(scored), threshold: model.threshold };
  } finally {
    await model.dispose();
  }
}

export function summary(
  model: string,
  { dataset, scored, report, intervals, curve, threshold }: Evaluated,
  doubt: ModelEvaluation["doubt"],
): ModelEvaluation {
  const distances = (same: boolean) =>
    Float64Array.from(
      scored.filter((pair) => pair.same === same),
      ({ distance }) => distance,
    ).sort();
  const worst = (same: boolean): ComparedPair[] => {
    const sign = same ? -1 : 1;
    return scored
      .filter((pair) => pair.same === same)
      .sort((a, b) => sign * (a.distance - b.distance))
      .slice(0, mostShown)
      .map(({ left, right, distance }) => {
        return { left, right, distance, names: [dataset.items[left].name, dataset.items[right].name] };
      });
  };
  return {
    model,
    people: dataset.identities.length,
    pictures: dataset.items.length,
    doubt,
    threshold,
    auc: { value: report.auc, interval: intervals?.auc ?? null },
    eer: { value: report.eer, interval: intervals?.eer ?? null },
    trueAccepts: { value: report.tarAtFar["0.01"], interval: intervals?.tarAtFar["0.01"] ?? null },
    accuracy: { value: report.accuracy, standardError: report.accuracyStandardError },
    roc: thinned(curve),
    det: detCurve(curve),
    genuine: distances(true),
    impostor: distances(false),
    nearestImpostors: worst(false),
    farthestGenuine: worst(true),
  };
}

/** As many points as are visible, including the first and the last. */
function thinned(curve: readonly RocPoint[]): RocPoint[] {
  const stride = Math.max(1, Math.ceil(curve.length / mostPoints));
  return curve.filter((_, i) => i % stride === 0 || i === curve.length - 1);
}

/** Error rates at a threshold, with confidence intervals over identities where there are enough of them. */
export function mistakesAt({ scored, labels, intervals }: Evaluated, threshold: number) {
  const share = (same: boolean): Figure => {
    const outcomes: Outcome[] = scored
      .filter((pair) => pair.same === same)
      .map(({ left, right, distance }) => {
        return { hit: distance <= threshold !== same, identities: [labels[left], labels[right]] };
      });
    const value = outcomes.filter(({ hit }) => hit).length / outcomes.length;
    return { value, interval: intervals && shareInterval(outcomes) };
  };
  return { falseAccepts: share(false), falseRejects: share(true) };
}
