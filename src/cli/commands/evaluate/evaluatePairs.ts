// What `evaluate` adds to the report on pairs: the DET curve, and bootstrap intervals over identities.
import {
  areaUnderCurve,
  type Dataset,
  detCurve,
  equalErrorRate,
  falseAcceptRates,
  labelsOf,
  roc,
  type ScoredPair,
  type VerificationReport,
  verificationIntervals,
} from "../../../index.ts";
import { type EvaluationPair, groupsOf } from "../../../internal.ts";
import { digits, percent } from "../../outcome.ts";
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

/** The metrics on the pairs within each group, if there are several groups. */
export function byGroup(scored: readonly (EvaluationPair & ScoredPair)[], dataset: Dataset) {
  const names = groupsOf(dataset);
  if (names.length < 2) return [];
  const groupOf = (picture: number) => dataset.items[picture].group;
  return names.flatMap((name) => {
    const own = scored.filter(({ left, right }) => groupOf(left) === name && groupOf(right) === name);
    if (new Set(own.map(({ same }) => same)).size < 2) return [];
    const points = roc(own);
    return [{ name, pairs: own.length, auc: areaUnderCurve(points), eer: equalErrorRate(points) }];
  });
}

export const groupText = ({ name, pairs, auc, eer }: ReturnType<typeof byGroup>[number]) =>
  `group ${name}: ${pairs} pairs: AUC ${digits(auc)}, EER ${percent(eer)}`;
