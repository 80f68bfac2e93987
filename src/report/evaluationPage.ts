// The evaluation report of `twingrad evaluate` and the studio: curves, metrics with their intervals, and the worst
// mistakes, in one HTML file.
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
  /** The evaluated model, and the data. */
  model: string;
  /** Of the training, by name, where they are known. */
  settings?: Readonly<Record<string, string>>;
  data: string;
  /** Of the evaluation: 2026-11-29. */
  date: string;
  people: number;
  pictures: number;
  /** The unit of the cross-validation's folds. */
  folds: string;
  verification: VerificationReport & { det: DetPoint[]; intervals?: VerificationIntervals | null };
  roc: RocPoint[];
  /** The pairs' scores with the name of their axis, and the model's threshold. */
  scores: { name: string; same: number[]; different: number[]; threshold: number };
  /** The error rates at the model's threshold. */
  atThreshold: { threshold: number; falseAccept: number; trueAccept: number };
  openSet?: OpenSetReport;
  /** False accepts and false rejects, the worst first, and the number of each. */
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

function head({ model, settings, data, date, people, pictures, verification: { pairs } }: EvaluationReport): string {
  const trained = Object.entries(settings ?? {}).map(([name, value]) => `${name}: ${value}`);
  return `<header><h1>Evaluation of the model</h1>
<p>${pairs} pairs from ${pictures} pictures of ${people} people.</p>
<p class="soft">Model: ${text(model)}<br>Pictures: ${text(data)}<br>Date: ${text(date)}${
    trained.length > 0 ? `<br>Settings of the training: ${text(trained.join("; "))}` : ""
  }</p></header>`;
}

function tiles({ verification: v, openSet }: EvaluationReport): string {
  const auc = (value: number) => value.toFixed(4);
  return `<section class="tiles">
${tile("AUC (area under the ROC curve)", auc(v.auc), interval(v.intervals?.auc, auc))}
${tile("Verification accuracy", percent(v.accuracy), `standard error ${percent(v.accuracyStandardError, 2)}`)}
${tile("Equal error rate (EER)", percent(v.eer), interval(v.intervals?.eer, percent))}
${tile("True accepts at 1 % false accepts", percent(v.tarAtFar["0.01"]), interval(v.intervals?.tarAtFar["0.01"], percent))}
${openSet ? tile("Rank-1 identification", percent(openSet.rank1), interval(openSet.intervals.rank1, percent)) : ""}
</section>`;
}

function curves({ roc, verification, scores }: EvaluationReport): string {
  const counts = { same: scores.same.length, different: scores.different.length };
  return `<section><h2>Verification: do two pictures show the same person?</h2><div class="two">
<figure>${rocChart({ name: `network, AUC ${verification.auc.toFixed(3)}`, points: roc })}</figure>
<figure>${detChart(verification.det, counts)}</figure>
<figure>${histogramChart(scores.same, scores.different, scores.threshold, scores.name)}</figure></div>
<p class="soft">The detection error trade-off (DET) has axes of normal deviates, where normally distributed scores give a straight line.</p></section>`;
}

function figures({ verification: v, folds, atThreshold }: EvaluationReport): string {
  const row = (name: string, value: string, own = "") => `<tr><th>${name}</th><td>${value}</td><td>${own}</td></tr>`;
  const { intervals } = v;
  const rates = falseAcceptRates.map((far) =>
    row(
      `true accepts at ${100 * Number(far)} % false accepts`,
      percent(v.tarAtFar[far], 2),
      interval(intervals?.tarAtFar[far], (x) => percent(x, 2)),
    ),
  );
  const level = intervals ? `${percent(intervals.level, 0)} interval` : "";
  const about = intervals
    ? `<p class="soft">Intervals: bootstrap over ${intervals.identities} people with all their pairs, ${intervals.resamples} resamples; rates joined with Wilson's intervals.</p>`
    : intervals === null
      ? `<p class="soft">No confidence intervals: they need at least three people.</p>`
      : "";
  const { threshold, falseAccept, trueAccept } = atThreshold;
  return `<section><h2>Metrics</h2><table><thead><tr><th></th><th></th><th>${level}</th></tr></thead><tbody>
${row(
  "area under the ROC curve (AUC)",
  v.auc.toFixed(4),
  interval(intervals?.auc, (x) => x.toFixed(4)),
)}
${row(
  "equal error rate (EER)",
  percent(v.eer, 2),
  interval(intervals?.eer, (x) => percent(x, 2)),
)}
${rates.join("\n")}
${row(`accuracy, ${text(folds)}`, `${percent(v.accuracy, 2)} ± ${(100 * v.accuracyStandardError).toFixed(2)}`)}
${row("standard deviation over the folds", percent(v.accuracyStd, 2))}
${row("best threshold for these pairs", v.threshold.toPrecision(4))}
${row("the model's threshold", threshold.toPrecision(4))}
${row("false accepts at the model's threshold", percent(falseAccept, 2))}
${row("true accepts at the model's threshold", percent(trueAccept, 2))}
</tbody></table>${about}</section>`;
}

function identification({ openSet }: EvaluationReport): string {
  if (!openSet) return "";
  const { known, strangers, probes, strangerProbes, truePositiveAt, intervals, ...rates } = openSet;
  const row = (name: string, share: number, own?: Interval) =>
    `<tr><th>${name}</th><td>${percent(share)}</td><td>${interval(own, percent)}</td></tr>`;
  return `<section><h2>Open-set identification: who is it, if anybody enrolled?</h2>
<p>${known} people enrolled, ${strangers} strangers; ${probes} probes of enrolled people, ${strangerProbes} of strangers.</p>
<table><thead><tr><th></th><th></th><th>${percent(intervals.level, 0)} interval</th></tr></thead><tbody>
${row("nearest person is correct (rank 1)", rates.rank1, intervals.rank1)}
${row("correct name at the model's threshold (TPIR)", rates.truePositive, intervals.truePositive)}
${row("strangers given a name at the model's threshold (FPIR)", rates.falsePositive, intervals.falsePositive)}
${row("correct name where 10 % of the strangers get one", truePositiveAt["0.1"])}
${row("correct name where 1 % of the strangers get one", truePositiveAt["0.01"])}
</tbody></table></section>`;
}

function mistakes({ falseAccepts, falseRejects }: EvaluationReport): string {
  const group = (title: string, { pairs, all }: EvaluationReport["falseAccepts"]) =>
    pairGroup(`${title}: ${all === pairs.length ? all : `the worst ${pairs.length} of ${all}`}`, false, pairs);
  return `<section><h2>The worst mistakes</h2><p>At the model's threshold.</p><div class="two">
${group("False accepts: different people taken for one", falseAccepts)}
${group("False rejects: the same person not recognized", falseRejects)}</div></section>`;
}
