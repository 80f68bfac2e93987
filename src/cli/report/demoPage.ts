// The demo's report: a self-contained HTML file without scripts or external resources.
import type { RocPoint, VerificationReport } from "../../index.ts";
import { histogramChart, lossChart, rocChart } from "../../report/charts.ts";
import { htmlPage, type Picture, pairGroup, percent, picture, type ReportPair, text, tile } from "../../report/html.ts";
import { style } from "../../report/style.ts";

export interface ReportProbe {
  picture: Picture;
  /** The true identity; null for a stranger. */
  truth: string | null;
  /** The identity that the network answers; null for "unknown". */
  answer: string | null;
}

export interface DemoReport {
  title: string;
  adapter: string;
  seed: number;
  seconds: { name: string; seconds: number }[];
  people: { trained: number; validation: number; unseen: number; pictures: number };
  network: string;
  training: {
    steps: number;
    /** People, and pictures of each. */
    batch: { identitiesPerBatch: number; picturesPerIdentity: number };
    stepsPerSecond: number;
    losses: number[];
  };
  /** `same` and `different`: the network's distances of genuine and impostor pairs. */
  verification: { report: VerificationReport; roc: RocPoint[]; same: number[]; different: number[]; threshold: number };
  baseline: { report: VerificationReport; roc: RocPoint[] };
  oneShot: { ways: number; trials: number; accuracy: number; baseline: number };
  pairs: { title: string; right: boolean; pairs: ReportPair[] }[];
  identification: { enrolled: { name: string; picture: Picture }[]; probes: ReportProbe[]; threshold: number };
  engine: {
    launches: number;
    bytes: number;
    /** Nanoseconds of each kernel's launches in one step; null where the adapter has no timestamps. */
    kernels: { kernel: string; launches: number; nanoseconds: number }[] | null;
  };
}

export function demoPage(report: DemoReport): string {
  const parts = [head, tiles, training, verification, pairs, identification, engine];
  return htmlPage(
    report.title,
    style,
    parts.map((part) => part(report)),
  );
}

function head({ title, adapter, people, seed, network }: DemoReport): string {
  const everyone = people.trained + people.validation + people.unseen;
  return `<header><h1>${text(title)}</h1>
<p>A Siamese network was trained on ${people.trained} synthetic identities and evaluated on ${people.unseen} unseen ones:
${everyone} in all, ${people.pictures} pictures of each, seed ${seed}.</p>
<p class="soft">${text(network)}<br>Computed on: ${text(adapter)}</p></header>`;
}

function tiles({ verification, baseline, oneShot, seconds }: DemoReport): string {
  const total = seconds.reduce((sum, phase) => sum + phase.seconds, 0);
  const { report } = verification;
  return `<section class="tiles">
${tile("Area under the ROC", report.auc.toFixed(4), `raw pixels ${baseline.report.auc.toFixed(4)}`)}
${tile("Verification accuracy", percent(report.accuracy), `raw pixels ${percent(baseline.report.accuracy)}`)}
${tile("Equal error rate", percent(report.eer), `raw pixels ${percent(baseline.report.eer)}`)}
${tile(`${oneShot.ways}-way one-shot`, percent(oneShot.accuracy), `raw pixels ${percent(oneShot.baseline)}, chance ${percent(1 / oneShot.ways, 0)}`)}
${tile("Total time", `${total.toFixed(0)} s`, seconds.map(({ name, seconds }) => `${text(name)} ${seconds.toFixed(1)}`).join(", "))}
</section>`;
}

function training({ training: t }: DemoReport): string {
  const { identitiesPerBatch, picturesPerIdentity } = t.batch;
  const size = identitiesPerBatch * picturesPerIdentity;
  return `<section><h2>Training</h2><div class="two"><figure>${lossChart(t.losses)}</figure><div>
<p>A batch has ${identitiesPerBatch} people with ${picturesPerIdentity} pictures each. The supervised contrastive loss (Khosla et al. 2020) compares all
${size} pictures: it pulls pictures of the same person together and pushes other pictures away. It is
ln ${size - 1} = ${Math.log(size - 1).toFixed(2)} if all embeddings are equal, and at least ln ${picturesPerIdentity - 1} = ${Math.log(picturesPerIdentity - 1).toFixed(2)}.</p>
<dl><dt>Steps</dt><dd>${t.steps} of ${size} pictures</dd><dt>Pictures seen</dt><dd>${t.steps * size}</dd>
<dt>Pace</dt><dd>${t.stepsPerSecond.toFixed(2)} steps/s</dd>
<dt>First and last loss</dt><dd>${t.losses[0].toFixed(3)} → ${t.losses[t.losses.length - 1].toFixed(3)}</dd></dl></div></div></section>`;
}

function verification({ verification: v, baseline, people }: DemoReport): string {
  const { report } = v;
  const network = { name: `network, AUC ${report.auc.toFixed(3)}`, points: v.roc };
  const raw = { name: `raw pixels, AUC ${baseline.report.auc.toFixed(3)}`, points: baseline.roc };
  return `<section><h2>Verification: do two pictures show the same person?</h2>
<p>${report.pairs} pairs of ${people.unseen} people unseen in training and in setting the threshold. “Raw pixels” is
the Euclidean distance between the pixels, on the same pairs.</p>
<div class="two"><figure>${rocChart(network, raw)}</figure><figure>${histogramChart(v.same, v.different, v.threshold, "distance")}</figure></div>
<table><thead><tr><th></th><th>AUC</th><th>accuracy</th><th>EER</th><th>true accepts at 1 % false</th><th>at 0.1 % false</th></tr></thead><tbody>
${row("network", report)}${row("raw pixels", baseline.report)}</tbody></table>
<p class="soft">Accuracy is the mean over ten folds of people, each evaluated at the best threshold of the other nine.</p></section>`;
}

function row(name: string, r: VerificationReport): string {
  const cells = [r.auc.toFixed(4), `${percent(r.accuracy)} ± ${(100 * r.accuracyStd).toFixed(1)}`, percent(r.eer)];
  const accepts = [percent(r.tarAtFar["0.01"]), percent(r.tarAtFar["0.001"])];
  return `<tr><th>${name}</th>${[...cells, ...accepts].map((cell) => `<td>${cell}</td>`).join("")}</tr>`;
}

function pairs({ pairs: groups }: DemoReport): string {
  const shown = groups.map(({ title, right, pairs }) => pairGroup(title, right, pairs));
  return `<section><h2>Correct and wrong decisions</h2><p>Below each pair: the calibrated probability of “the same person”, by a logistic
regression on equally many genuine and impostor pairs of the validation people.</p>
<div class="two">${shown.join("\n")}</div></section>`;
}

function identification({ identification: { enrolled, probes, threshold } }: DemoReport): string {
  const names = [...enrolled.map(({ name }) => name as string | null), null];
  const answer = (probe: ReportProbe) => {
    const right = probe.answer === probe.truth;
    return `<li class="${right ? "good" : "bad"}">${picture(probe.picture, "probe")}<small>${text(probe.answer ?? "unknown")}</small></li>`;
  };
  const line = (name: string | null) => {
    const own = probes.filter(({ truth }) => truth === name);
    const right = own.filter((probe) => probe.answer === name).length;
    const known = enrolled.find((person) => person.name === name);
    const title = known
      ? `${picture(known.picture, "enrolled picture")}<b>${text(known.name)}</b>`
      : "<b>strangers</b>";
    return `<tr><th><div class="who">${title}<small>${right} of ${own.length} right</small></div></th><td><ul class="probes">${own.map(answer).join("")}</ul></td></tr>`;
  };
  return `<section><h2>Identification: who is it?</h2><p>Five unseen people were enrolled from one picture each (left). Below each further
picture is the answer; “unknown” if nobody is within the distance ${threshold.toFixed(2)}.</p>
<table class="wide"><tbody>${names.map(line).join("\n")}</tbody></table></section>`;
}

function engine({ engine: { launches, bytes, kernels }, adapter }: DemoReport): string {
  const intro = `<p>A training step has ${launches} dispatches and ${(bytes / 2 ** 20).toFixed(1)} MiB of planned GPU memory, on
${text(adapter)}.</p>`;
  if (!kernels)
    return `<section><h2>The engine</h2>${intro}<p>This adapter has no timestamp queries, so there are no timings by kernel.</p></section>`;
  const total = kernels.reduce((sum, { nanoseconds }) => sum + nanoseconds, 0);
  const rows = kernels.map(({ kernel, launches, nanoseconds }) => {
    const share = nanoseconds / total;
    return `<tr><th><code>${text(kernel)}</code></th><td>${launches}</td><td>${(nanoseconds / 1e6).toFixed(3)}</td><td>${percent(share)}</td>
<td class="bar"><i style="width:${(100 * share).toFixed(1)}%"></i></td></tr>`;
  });
  return `<section><h2>The engine</h2>${intro}<table class="wide"><thead><tr><th>kernel</th><th>launches</th><th>ms in a step</th><th>share</th><th></th></tr></thead>
<tbody>${rows.join("\n")}</tbody></table></section>`;
}
