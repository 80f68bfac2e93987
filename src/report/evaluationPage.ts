// The report of an evaluation, of `twingrad evaluate` and the studio: the curves, the figures with their intervals, and the worst mistakes, in one HTML file.
import type { Interval } from "../evaluation/bootstrap.ts";
import type { DetPoint } from "../evaluation/det.ts";
import type { VerificationIntervals } from "../evaluation/intervals.ts";
import type { RocPoint } from "../evaluation/metrics.ts";
import type { OpenSetReport } from "../evaluation/openSet.ts";
import { falseAcceptRates, type VerificationReport } from "../evaluation/verificationReport.ts";
import { detChart, histogramChart, rocChart } from "./charts.ts";
import { htmlPage, pairGroup, percent, type ReportPair, text, tile } from "./html.ts";
import { style } from "./style.ts";

export interface EvaluationReport {
  /** What was judged, and on what. */
  model: string;
  data: string;
  people: number;
  pictures: number;
  /** What accuracy is cross-validated over. */
  folds: string;
  verification: VerificationReport & { det: DetPoint[]; intervals?: VerificationIntervals };
  roc: RocPoint[];
  /** The pairs' scores on an axis of this name, and the model's threshold on it. */
  scores: { name: string; same: number[]; different: number[]; threshold: number };
  /** What the model's threshold makes of the pairs. */
  atThreshold: { threshold: number; falseAccept: number; trueAccept: number };
  openSet?: OpenSetReport;
  /** Two people taken for one, and one taken for two, the worst first; and how many there are in all. */
  falseAccepts: { pairs: ReportPair[]; all: number };
  falseRejects: { pairs: ReportPair[]; all: number };
}

export function evaluationPage(report: EvaluationReport): string {
  const parts = [head, tiles, curves, figures, identification, mistakes];
  return htmlPage(
    "twingrad: evaluation",
    style,
    parts.map((part) => part(report)),
  );
}

const interval = (own: Interval | undefined, show: (value: number) => string) =>
  own ? `${show(own[0])} to ${show(own[1])}` : "";

function head({ model, data, people, pictures, verification: { pairs } }: EvaluationReport): string {
  return `<header><h1>How well the model tells people apart</h1>
<p>${pairs} pairs from ${pictures} pictures of ${people} people.</p>
<p class="soft">Model: ${text(model)}<br>Pictures: ${text(data)}</p></header>`;
}

function tiles({ verification: v, openSet }: EvaluationReport): string {
  const auc = (value: number) => value.toFixed(4);
  return `<section class="tiles">
${tile("Area under the ROC", auc(v.auc), interval(v.intervals?.auc, auc))}
${tile("Verification accuracy", percent(v.accuracy), `standard error ${percent(v.accuracyStandardError, 2)}`)}
${tile("Equal error rate", percent(v.eer), interval(v.intervals?.eer, percent))}
${tile("True accepts at 1 % false", percent(v.tarAtFar["0.01"]), interval(v.intervals?.tarAtFar["0.01"], percent))}
${openSet ? tile("Rank-1 identification", percent(openSet.rank1), interval(openSet.intervals.rank1, percent)) : ""}
</section>`;
}

function curves({ roc, verification, scores }: EvaluationReport): string {
  const counts = { same: scores.same.length, different: scores.different.length };
  return `<section><h2>Are these two pictures of one person?</h2><div class="two">
<figure>${rocChart({ name: `network, AUC ${verification.auc.toFixed(3)}`, points: roc })}</figure>
<figure>${detChart(verification.det, counts)}</figure>
<figure>${histogramChart(scores.same, scores.different, scores.threshold, scores.name)}</figure></div>
<p class="soft">The detection error trade-off has axes of normal deviates: normally distributed scores give a straight line.</p></section>`;
}

function figures({ verification: v, folds, atThreshold }: EvaluationReport): string {
  const row = (name: string, value: string, own = "") => `<tr><th>${name}</th><td>${value}</td><td>${own}</td></tr>`;
  const { intervals } = v;
  const rates = falseAcceptRates.map((far) =>
    row(
      `true accepts at ${100 * Number(far)} % false`,
      percent(v.tarAtFar[far], 2),
      interval(intervals?.tarAtFar[far], (x) => percent(x, 2)),
    ),
  );
  const level = intervals ? `${percent(intervals.level, 0)} interval` : "";
  const about = intervals
    ? `<p class="soft">Intervals: ${intervals.resamples} times ${intervals.identities} people drawn anew, with all their pairs; shares joined with Wilson's.</p>`
    : "";
  const { threshold, falseAccept, trueAccept } = atThreshold;
  return `<section><h2>Figures</h2><table><thead><tr><th></th><th></th><th>${level}</th></tr></thead><tbody>
${row(
  "area under the ROC",
  v.auc.toFixed(4),
  interval(intervals?.auc, (x) => x.toFixed(4)),
)}
${row(
  "equal error rate",
  percent(v.eer, 2),
  interval(intervals?.eer, (x) => percent(x, 2)),
)}
${rates.join("\n")}
${row(`accuracy, ${text(folds)}`, `${percent(v.accuracy, 2)} ± ${(100 * v.accuracyStandardError).toFixed(2)}`)}
${row("standard deviation over the folds", percent(v.accuracyStd, 2))}
${row("best threshold of these pairs", v.threshold.toPrecision(4))}
${row("the model's threshold", threshold.toPrecision(4))}
${row("with it: false accepts", percent(falseAccept, 2))}
${row("with it: true accepts", percent(trueAccept, 2))}
</tbody></table>${about}</section>`;
}

function identification({ openSet }: EvaluationReport): string {
  if (!openSet) return "";
  const { known, strangers, probes, strangerProbes, truePositiveAt, intervals, ...rates } = openSet;
  const row = (name: string, share: number, own?: Interval) =>
    `<tr><th>${name}</th><td>${percent(share)}</td><td>${interval(own, percent)}</td></tr>`;
  return `<section><h2>Who is it, or nobody known?</h2>
<p>${known} people enrolled, ${strangers} strangers; ${probes} further pictures of the ones, ${strangerProbes} of the others.</p>
<table><thead><tr><th></th><th></th><th>${percent(intervals.level, 0)} interval</th></tr></thead><tbody>
${row("nearest is the right person (rank 1)", rates.rank1, intervals.rank1)}
${row("at the model's threshold: right name", rates.truePositive, intervals.truePositive)}
${row("at the model's threshold: strangers given a name", rates.falsePositive, intervals.falsePositive)}
${row("right name where 10 % of the strangers get one", truePositiveAt["0.1"])}
${row("right name where 1 % of the strangers get one", truePositiveAt["0.01"])}
</tbody></table></section>`;
}

function mistakes({ falseAccepts, falseRejects }: EvaluationReport): string {
  const group = (title: string, { pairs, all }: EvaluationReport["falseAccepts"]) =>
    pairGroup(`${title}: ${all === pairs.length ? all : `the worst ${pairs.length} of ${all}`}`, false, pairs);
  return `<section><h2>The worst mistakes</h2><p>At the model's threshold.</p><div class="two">
${group("Two people, taken for one", falseAccepts)}
${group("One person, taken for two", falseRejects)}</div></section>`;
}
