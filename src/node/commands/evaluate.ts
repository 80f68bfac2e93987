// twingrad evaluate: how well a model tells people apart.
import type { Command } from "commander";
import { type Dataset, type ImageSize, labelsOf } from "../../data/dataset.ts";
import { allPairs, oneShotTrials, pairsPerIdentity } from "../../data/evaluation.ts";
import { TwingradError } from "../../gpu/errors.ts";
import type { Model } from "../../recognition/model.ts";
import type { VerificationReport } from "../../recognition/protocol.ts";
import { assess, assessOneShot } from "../assessment.ts";
import { addDataOptions, type DataFlags, dataHelp, openData } from "../data.ts";
import { readModelFile } from "../files.ts";
import { Progress } from "../progress.ts";
import { readOneShotRuns, readPairs } from "../protocols.ts";
import { peopleDigest, trainingRecord } from "../record.ts";
import { divide } from "../training.ts";
import { action, digits, note, type Outcome, percent, wholeNumber, withModel } from "./common.ts";

interface Options extends DataFlags {
  pairsPerIdentity: number | "all";
  pairs?: string;
  oneShot?: number;
  runs?: string;
  trials: number;
  seed: number;
  unseen?: boolean;
}

export function addEvaluate(program: Command): void {
  const command = program
    .command("evaluate")
    .description("Judges a model on pictures of people: verification by pairs, or one-shot recognition.")
    .argument("<model>", "what `twingrad train` wrote: the file or its folder")
    .argument("[data...]", `${dataHelp}; needless with --runs`)
    .option(
      "--pairs-per-identity <count>",
      "pairs of each person's own pictures, and as many with other people's; all: every pair of pictures",
      (text) => (text === "all" ? text : wholeNumber(1)(text)),
      50,
    )
    .option("--pairs <file>", "instead: the pairs of a list such as LFW's pairs.txt, cross-validated over its sets")
    .option("--one-shot <ways>", "instead: which of so many people, each shown once, is on a picture?", wholeNumber(2))
    .option("--trials <count>", "how many one-shot questions", wholeNumber(1), 1000)
    .option("--runs <folder>", "instead: the questions of one-shot runs such as Omniglot's all_runs")
    .option("--seed <number>", "of the questions", wholeNumber(0), 1)
    .option("--unseen", "only the people whom the training of this model held out of this data");
  action(addDataOptions(command), async (modelPath: string, data: string[], options: Options) => {
    if (options.runs === undefined && data.length === 0) {
      command.error("error: missing required argument 'data'", { exitCode: 2, code: "twingrad.data" });
    }
    return withModel(modelPath, async (model): Promise<Outcome> => {
      if (options.runs !== undefined) return oneShotRuns(model, options.runs);
      const dataset = await chooseUnseen(modelPath, data, options, model.imageSize);
      if (options.pairs !== undefined) return listedPairs(model, dataset, options.pairs);
      const labels = labelsOf(dataset);
      const { seed, trials, oneShot: ways } = options;
      if (ways !== undefined) {
        const accuracy = await showing(dataset, (told) =>
          assessOneShot(model, dataset, oneShotTrials(labels, { ways, trials, seed }), told),
        );
        return {
          result: { trials, ways, accuracy },
          text: `${ways}-way one-shot accuracy ${percent(accuracy)} (${trials} trials)`,
        };
      }
      const perIdentity = options.pairsPerIdentity;
      const pairs = perIdentity === "all" ? allPairs(labels) : pairsPerIdentity(labels, { perIdentity, seed });
      const { report } = await showing(dataset, (told) => assess(model, dataset, pairs, undefined, told));
      const spread = `standard deviation over folds ${percent(report.accuracyStd)}`;
      return { result: report, text: verificationText(report, model, dataset.identities.length, spread) };
    });
  });
}

/** Shows how many pictures of the dataset are done while `work` goes through them. */
async function showing<T>({ items }: Dataset, work: (told: (done: number) => void) => Promise<T>): Promise<T> {
  const progress = new Progress(items.length, 0, "picture");
  try {
    return await work((done) => progress.update(done));
  } finally {
    progress.stop();
  }
}

/** A list of several sets is cross-validated over them, as LFW's protocol says; one of a single set, over people. */
async function listedPairs(model: Model, dataset: Dataset, path: string): Promise<Outcome> {
  const listed = await readPairs(path, dataset);
  const sets = new Set(listed.sets).size;
  const folds = sets > 1 ? listed.sets : undefined;
  const { report } = await showing(listed.dataset, (told) => assess(model, listed.dataset, listed.pairs, folds, told));
  const people = new Set(labelsOf(listed.dataset)).size;
  if (sets === 1) {
    const spread = `the list has one set: over folds of people, standard deviation ${percent(report.accuracyStd)}`;
    return { result: { ...report, sets }, text: verificationText(report, model, people, spread) };
  }
  const accuracyStandardError = report.accuracyStd / Math.sqrt(sets);
  const spread = `standard error of the mean over ${sets} sets ${percent(accuracyStandardError)}`;
  return {
    result: { ...report, accuracyStandardError, sets },
    text: verificationText(report, model, people, spread),
  };
}

async function oneShotRuns(model: Model, folder: string): Promise<Outcome> {
  const { dataset, trials, runs, ways } = await readOneShotRuns(folder);
  const accuracy = await showing(dataset, (told) => assessOneShot(model, dataset, trials, told));
  return {
    result: { trials: trials.length, ways, accuracy, runs },
    text: `${ways}-way one-shot accuracy ${percent(accuracy)} (${trials.length} trials in ${runs} runs)`,
  };
}

function verificationText(report: VerificationReport, model: Model, people: number, spread: string): string {
  return [
    `${report.pairs} pairs of ${people} people`,
    `accuracy ${percent(report.accuracy)} (${spread})`,
    `AUC ${digits(report.auc)}, EER ${percent(report.eer)}`,
    `true accepts ${percent(report.tarAtFar["0.01"])} at 1 % false accepts, ${percent(report.tarAtFar["0.001"])} at 0.1 %`,
    `best threshold ${digits(report.threshold)}; the model's is ${digits(model.threshold)}`,
  ].join("\n");
}

/** Figures on people whom the network was trained on flatter it: say so, or leave those people out. */
async function chooseUnseen(modelPath: string, data: string[], options: Options, size: ImageSize): Promise<Dataset> {
  const dataset = await openData(data, options, note, size);
  const what = data.join(" ");
  const record = trainingRecord(await readModelFile(modelPath));
  const trainedOnThese = record?.people === peopleDigest(dataset);
  if (!options.unseen) {
    if (trainedOnThese) note("this model was trained on most of these people: the figures flatter it; see --unseen");
    return dataset;
  }
  if (!record || !trainedOnThese) {
    throw new TwingradError("BAD_INPUT", `${what}: this model was not trained on these people: leave --unseen away`);
  }
  const { heldOut } = divide(dataset, record.settings);
  if (!heldOut) throw new TwingradError("BAD_INPUT", `${what}: the training of this model held nobody out`);
  return heldOut;
}
