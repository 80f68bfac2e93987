// What `evaluate` tells of pairs beyond the report itself: the curve, and intervals over people.
import {
  type Dataset,
  detCurve,
  falseAcceptRates,
  labelsOf,
  roc,
  type ScoredPair,
  type VerificationReport,
  verificationIntervals,
} from "../../../index.ts";
import type { EvaluationPair } from "../../../internal.ts";
import type { PairEvaluation } from "./evaluationText.ts";

export function evaluatePairs(
  report: VerificationReport,
  scored: readonly (EvaluationPair & ScoredPair)[],
  dataset: Dataset,
  { resamples, seed }: { readonly resamples: number; readonly seed: number },
): PairEvaluation {
  const det = detCurve(roc(scored));
  const genuine = scored.filter(({ same }) => same).length;
  if (resamples === 0) return { ...report, genuine, det };
  const labels = labelsOf(dataset);
  return {
    ...report,
    genuine,
    intervals: verificationIntervals(scored, scored, labels, falseAcceptRates, { resamples, seed }),
    det,
  };
}
