// What people read of an evaluation.
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
  /** Pairs of one identity. */
  genuine: number;
  /** Absent with --resamples 0. */
  intervals?: VerificationIntervals;
}

/** @param threshold the model's. @param over what accuracy is cross-validated over. */
export function verificationText(report: PairEvaluation, threshold: number, people: number, over: string): string {
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
    `best threshold ${digits(report.threshold)}; the model's is ${digits(threshold)}`,
    ...(intervals
      ? [`in brackets: ${100 * intervals.level} % intervals, ${intervals.identities} people drawn anew`]
      : []),
  ].join("\n");
}

/** Where one kind is much more frequent, always naming that kind would be as accurate: what the figure is worth is said. */
function balanceText({ balancedAccuracy, genuine, pairs }: PairEvaluation): string[] {
  const share = Math.max(genuine, pairs - genuine) / pairs;
  if (share < 0.6) return [];
  return [
    `balanced accuracy ${percent(balancedAccuracy)}: ${genuine} genuine and ${pairs - genuine} impostor pairs, of which accuracy counts mostly the more frequent kind (${percent(share)} for calling all pairs that)`,
  ];
}

export function openSetText({
  known,
  strangers,
  rank1,
  threshold,
  truePositive,
  falsePositive,
  intervals,
}: OpenSetReport): string {
  const within = ([lower, upper]: Interval) => `[${percent(lower)}, ${percent(upper)}]`;
  return [
    `identification of ${known} enrolled people beside ${strangers} strangers: rank-1 rate ${percent(rank1)} ${within(intervals.rank1)}`,
    `at the model's threshold ${digits(threshold)}: ${percent(truePositive)} ${within(intervals.truePositive)} rightly named, ${percent(falsePositive)} ${within(intervals.falsePositive)} of the strangers' pictures named`,
  ].join("\n");
}
