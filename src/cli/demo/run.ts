// The demo. Its command imports it lazily: the code for faces and charts takes longer to load than the rest of the command
// line.

import { resolve } from "node:path";
import { Model } from "../../index.ts";
import { checkOutputs, writeOutput } from "../../internal.ts";
import { openDevice } from "../../node/index.ts";
import { tuningOf } from "../options/tuneOption.ts";
import { digits, note, type Outcome, percent } from "../outcome.ts";
import { demoPage } from "../report/demoPage.ts";
import { demoPeople, type PeopleCounts, peopleCounts } from "./demoPeople.ts";
import { adapterInWords, demoReport } from "./demoReport.ts";
import { type DemoEvaluation, evaluateDemo } from "./evaluateDemo.ts";
import { trainOnFaces } from "./train.ts";

/** Small, because identification embeds one picture at a time, and a batch is always computed whole. */
const embeddedTogether = 4;

export interface DemoOptions {
  seed: number;
  steps: number;
  /** The HTML file to write. */
  report: string;
  /** Folder that caches the generated pictures. */
  cache: string;
  /** Time equivalent kernels and use the fastest. */
  tune?: boolean;
  /** Fewer people than usual, for a quick look. */
  people?: PeopleCounts;
}

/** @param tell prints progress, a line at a time. */
export async function runDemo(options: DemoOptions, tell: (line: string) => void = note): Promise<Outcome> {
  const { seed, steps, cache, people: counts = peopleCounts } = options;
  const seconds: { name: string; seconds: number }[] = [];
  const timed = async <T>(name: string, work: () => Promise<T>): Promise<T> => {
    const started = performance.now();
    const result = await work();
    seconds.push({ name, seconds: (performance.now() - started) / 1000 });
    return result;
  };
  const report = resolve(options.report);
  await checkOutputs([report]); // to fail before the training
  const device = await timed("device", () => openDevice({ ...tuningOf(options), tell }));
  try {
    const telling = { onProgress: tellQuarters(tell), warn: tell };
    const people = await timed("pictures", () => demoPeople(counts, seed, cache, telling));
    tell(`training on ${counts.training} people for ${steps} steps`);
    const training = await trainOnFaces(device, people.training, { steps, seed });
    seconds.push({ name: "compiling", seconds: training.seconds.compile });
    seconds.push({ name: "training", seconds: training.seconds.train });
    tell(`evaluating on ${counts.unseen} unseen people`);
    const evaluation = await timed("evaluation", async () => {
      const model = await Model.open(device, training.model, { batchSize: embeddedTogether });
      const found = await evaluateDemo(model, people, seed);
      await model.dispose();
      return found;
    });
    const page = demoPage(await demoReport(device, seed, people, training, evaluation, seconds));
    await writeOutput(report, page);

    const { network, oneShot } = evaluation;
    const { accuracy, auc, eer } = network.report;
    const total = seconds.reduce((sum, phase) => sum + phase.seconds, 0);
    return {
      result: {
        adapter: device.adapter,
        steps,
        seconds: total,
        firstLoss: training.losses[0],
        lastLoss: training.losses[steps - 1],
        verification: { accuracy, auc, eer },
        oneShot: { ways: oneShot.ways, accuracy: network.oneShot },
        baseline: figures(evaluation.pixels.report),
        identification: identified(evaluation),
        report,
      },
      text: summary(evaluation, adapterInWords(device), total, report),
    };
  } finally {
    device.dispose();
  }
}

const figures = ({ accuracy, auc, eer }: { accuracy: number; auc: number; eer: number }) => ({ accuracy, auc, eer });

/** Counts of correct and wrong answers over the probes. */
function identified({ identification: { probes } }: DemoEvaluation) {
  const known = probes.filter(({ truth }) => truth !== null);
  const strangers = probes.filter(({ truth }) => truth === null);
  return {
    known: known.length,
    named: known.filter(({ truth, answer }) => answer === truth).length,
    mistaken: known.filter(({ truth, answer }) => answer !== truth && answer !== null).length,
    strangers: strangers.length,
    unknown: strangers.filter(({ answer }) => answer === null).length,
  };
}

function summary(evaluation: DemoEvaluation, adapter: string, seconds: number, report: string): string {
  const { network, pixels, oneShot } = evaluation;
  const row = (name: string, ...cells: string[]) =>
    [name.padEnd(24), ...cells.map((cell) => cell.padStart(12))].join("");
  const { known, named, mistaken, strangers, unknown } = identified(evaluation);
  return [
    row("on unseen people", "network", "raw pixels"),
    row("AUC", digits(network.report.auc), digits(pixels.report.auc)),
    row("accuracy", percent(network.report.accuracy), percent(pixels.report.accuracy)),
    row("equal error rate", percent(network.report.eer), percent(pixels.report.eer)),
    row(`${oneShot.ways}-way one-shot`, percent(network.oneShot), percent(pixels.oneShot)),
    `five people enrolled from one picture each: ${named} of ${known} further pictures identified correctly, ${mistaken} incorrectly, ` +
      `${known - named - mistaken} called unknown; ${unknown} of ${strangers} pictures of strangers called unknown`,
    `${seconds.toFixed(0)} s on ${adapter}`,
    `report: ${report}`,
  ].join("\n");
}

function tellQuarters(tell: (line: string) => void): (share: number) => void {
  let reported = 0;
  return (share) => {
    if (share < reported + 0.25) return;
    reported = Math.floor(share * 4) / 4;
    tell(`drawing faces: ${(100 * reported).toFixed(0)} %`);
  };
}
