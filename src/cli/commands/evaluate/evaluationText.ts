// An evaluation as text.
import {
  type DetPoint,
  falseAcceptRates,
  type Interval,
  type OpenSetReport,
  type VerificationIntervals,
  type VerificationReport,
} from "../../../index.ts";
import { digits, percent } from "../../outcome.ts";

export interface PairEvaluation extends VerificationReport {
  det: DetPoint[];
  /** Number of genuine pairs. */
  genuine: number;
  /** Absent with --resamples 0; null with too few people. */
  intervals?: VerificationIntervals | null;
}

/**
 * @param over the folds that accuracy is cross-validated over, in words.
 * @param ofModel the model's threshold, if there is a model.
 */
export function verificationText(report: PairEvaluation, people: number, over: string, ofModel?: number): string {
  const { accuracyStd: deviation, accuracyStandardError: error, intervals } = report;
  const within = (interval: Interval | undefined, show: (value: number) => string) =>
    interval ? ` [${show(interval[0])}, ${show(interval[1])}]` : "";
  const accepts = falseAcceptRates.map((far) => {
    const rate = `${percent(report.tarAtFar[far])}${within(intervals?.tarAtFar[far], percent)}`;
    return `true accepts ${rate} at ${100 * Number(far)} % false accepts`;
  });
  return [
    `${report.pairs} pairs of ${people} people`,
    `accuracy ${percent(report.accuracy)} (${over}, standard error ${percent(error)}, standard deviation ${percent(deviation)})`,
    ...balanceText(report),
    `AUC ${digits(report.auc)}${within(intervals?.auc, digits)}, EER ${percent(report.eer)}${within(intervals?.eer, percent)}`,
    ...accepts,
    `best threshold ${digits(report.threshold)}${ofModel === undefined ? "" : `; the model's threshold ${digits(ofModel)}`}`,
    ...(intervals
      ? [`in brackets: ${100 * intervals.level} % bootstrap intervals over ${intervals.identities} people`]
      : []),
    ...(intervals === null ? ["no confidence intervals: they need at least three people"] : []),
  ].join("\n");
}

/** With unbalanced pairs accuracy misleads: always answering the frequent kind scores high, so that baseline is shown. */
function balanceText({ balancedAccuracy, genuine, pairs }: PairEvaluation): string[] {
  const share = Math.max(genuine, pairs - genuine) / pairs;
  if (share < 0.6) return [];
  return [
    `balanced accuracy ${percent(balancedAccuracy)}: ${genuine} genuine and ${pairs - genuine} impostor pairs are unbalanced (always answering the frequent kind has accuracy ${percent(share)})`,
  ];
}

export function openSetText(report: OpenSetReport, whose = "the model's threshold"): string {
  const { known, strangers, rank1, threshold, truePositive, falsePositive, intervals } = report;
  const within = ([lower, upper]: Interval) => `[${percent(lower)}, ${percent(upper)}]`;
  return [
    `open-set identification with ${known} enrolled people and ${strangers} strangers: rank-1 rate ${percent(rank1)} ${within(intervals.rank1)}`,
    `at ${whose} ${digits(threshold)}: ${percent(truePositive)} ${within(intervals.truePositive)} correctly identified, ${percent(falsePositive)} ${within(intervals.falsePositive)} of the strangers' pictures falsely identified`,
  ].join("\n");
}
