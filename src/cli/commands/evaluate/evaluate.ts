// twingrad evaluate: metrics of a model on verification, identification and one-shot recognition.

import { resolve } from "node:path";
import { type Command, Option } from "commander";
import {
  allPairs,
  type Dataset,
  evaluateModel,
  labelsOf,
  type Model,
  pairsPerIdentity,
  roc,
  TwingradError,
} from "../../../index.ts";
import { matches, oneShotAnswers, readModelFile, taskOfModel, writeOutput } from "../../../internal.ts";
import { readPairs } from "../../../node/index.ts";
import type { EvaluationReport } from "../../../report/evaluationPage.ts";
import { evaluationReport } from "../../../report/evaluationReport.ts";
import { identification } from "../../identification.ts";
import {
  addDataOptions,
  type DataFlags,
  dataHelp,
  groupByHelp,
  groupedBy,
  openData,
  type PictureNeeds,
} from "../../options/dataOptions.ts";
import { givenFlag } from "../../options/givenFlag.ts";
import { number, wholeNumber } from "../../options/values.ts";
import { action, note, type Outcome, warn } from "../../outcome.ts";
import { pictureUri } from "../../report/pictureUri.ts";
import { peopleDigest, trainingRecord } from "../../run/runRecord.ts";
import { recognition } from "../../run/tasks/recognitionTask.ts";
import { divide } from "../../run/training.ts";
import { addEmbeddingOptions } from "../exchange/embeddingFiles.ts";
import { picturesFor, showing, withModel } from "../models.ts";
import { type ComparisonOptions, evaluateEmbeddings } from "./evaluateEmbeddings.ts";
import { evaluateLiveness } from "./evaluateLiveness.ts";
import { evaluateOneShot, evaluateRuns } from "./evaluateOneShot.ts";
import { byGroup, evaluatePairs, groupText } from "./evaluatePairs.ts";
import { openSetText, verificationText } from "./evaluationText.ts";
import { sessionsOf, warnOfShared } from "./sessions.ts";

interface Options extends DataFlags, ComparisonOptions {
  runs?: string;
  unseen?: boolean;
  report?: string;
  groupBy?: string;
  robustness?: number;
}

export function addEvaluate(program: Command): void {
  const command = program
    .command("evaluate")
    .description(
      "Evaluates a model on pictures of people: verification on pairs, or one-shot recognition; for a liveness model, its error rates.",
    )
    .argument("[model]", "a model file or the folder that contains it; omitted with --embeddings")
    .argument("[data...]", `${dataHelp}; omitted with --runs and --embeddings`)
    .option(
      "--pairs-per-identity <count>",
      "genuine pairs of each person, and as many impostor pairs; all: every pair of pictures",
      (text) => (text === "all" ? text : wholeNumber(1)(text)),
      50,
    )
    .option(
      "--pairs <file>",
      "evaluate the pairs of a list such as LFW's pairs.txt instead, cross-validated over its sets",
    )
    .option(
      "--one-shot <ways>",
      "evaluate N-way recognition instead: which of N people, each with --shots support pictures, is on a query picture?",
      wholeNumber(2),
    )
    .option(
      "--shots <count>",
      "support pictures of each person, for --one-shot and for open-set identification",
      wholeNumber(1),
      1,
    )
    .addOption(
      new Option(
        "--match <rule>",
        "with several shots: compare with the nearest of a person's pictures, or with their mean",
      )
        .choices(matches)
        .default("nearest"),
    )
    .option(
      "--within-groups",
      "draw the people of each trial from one group: the parent of the person's folder (Omniglot's alphabet)",
    )
    .option("--trials <count>", "number of one-shot trials", wholeNumber(1), 1000)
    .option("--runs <folder>", "evaluate a folder of one-shot runs instead, such as Omniglot's all_runs")
    .option("--seed <number>", "seed of the pairs and trials", wholeNumber(0), 1)
    .option("--report <file>", "for pairs: write an HTML page with curves, metrics and the worst errors")
    .option(
      "--resamples <count>",
      "bootstrap resamples of the people for confidence intervals; 0 disables them",
      wholeNumber(0),
      1000,
    )
    .option(
      "--threshold <score>",
      "for a liveness model: the lowest score accepted as bona fide (default: the model's threshold); for --embeddings: the largest distance accepted as the same person (default: the most accurate one on the pairs)",
      number,
    )
    .option(
      "--group-by <regex>",
      `report metrics for each group of pictures, such as recording sessions, and warn of groups used in training (default: the model's --group-by); ${groupByHelp}`,
    )
    .option(
      "--robustness [pictures]",
      "for a liveness model: measure the AUC under changes of light, color, contrast and JPEG quality, and the change of scores under shifts, on this many pictures of each class (default: 100)",
      wholeNumber(1),
    )
    .option("--unseen", "use only the people of this data that the model's training held out");
  addEmbeddingOptions(command);
  const names = () => command.options.map((option) => option.attributeName());
  const own = names();
  addDataOptions(command);
  const ofPictures = ["runs", "report", "unseen", "groupBy", "robustness", ...names().slice(own.length)];
  action(command, async (modelPath: string | undefined, data: string[], options: Options) => {
    const wrong = (text: string) => command.error(`error: ${text}`, { exitCode: 2, code: "twingrad.embeddings" });
    if (options.embeddings !== undefined) {
      if (modelPath !== undefined) wrong("--embeddings cannot be combined with a model or data arguments");
      const needless = givenFlag(command, ofPictures);
      if (needless) wrong(`--embeddings cannot be combined with ${needless}, which needs pictures`);
      return evaluateEmbeddings(options);
    }
    const needless = givenFlag(command, ["names", "metric"]);
    if (needless) wrong(`${needless} is for --embeddings: a model has its own distance`);
    if (modelPath === undefined) return command.error("error: missing required argument 'model'", { exitCode: 2 });
    if (options.runs === undefined && data.length === 0) {
      command.error("error: missing required argument 'data'", { exitCode: 2, code: "twingrad.data" });
    }
    if (options.report !== undefined && (options.runs ?? options.oneShot) !== undefined) {
      command.error("error: --report is for pairs, not for --one-shot or --runs", {
        exitCode: 2,
        code: "twingrad.report",
      });
    }
    if ((options.robustness as unknown) === true) options.robustness = 100;
    if ((await taskOfModel(modelPath)) === "liveness") return evaluateLiveness(modelPath, data, options);
    if (options.robustness !== undefined) {
      command.error("error: --robustness needs a liveness model", { exitCode: 2, code: "twingrad.robustness" });
    }
    if (options.threshold !== undefined) {
      wrong(
        "--threshold is for a liveness model or --embeddings: set a recognition model's with calibrate --threshold",
      );
    }
    return withModel(modelPath, async (model): Promise<Outcome> => {
      if (options.runs !== undefined) return evaluateRuns(model, options.runs, options);
      const dataset = await chooseUnseen(modelPath, data, options, picturesFor(model));
      const names = { model: modelPath, data: data.join(" ") };
      if (options.pairs !== undefined) return listedPairs(model, dataset, names, options);
      const labels = labelsOf(dataset);
      const { seed, oneShot: ways } = options;
      if (ways !== undefined) {
        return evaluateOneShot(dataset, { ...options, ways }, (trials) =>
          showing(dataset, (onProgress) => oneShotAnswers(model, dataset, trials, options.match, onProgress)),
        );
      }
      const perIdentity = options.pairsPerIdentity;
      const pairs = perIdentity === "all" ? allPairs(labels) : pairsPerIdentity(labels, { perIdentity, seed });
      const { report, scored, embeddings } = await showing(dataset, (onProgress) =>
        evaluateModel(model, dataset, pairs, undefined, onProgress),
      );
      const verification = evaluatePairs(report, scored, dataset, options);
      const identified = identification(model, dataset, embeddings, options);
      const folds = "over folds of people";
      const groups = byGroup(scored, dataset);
      const lines = [verificationText(verification, dataset.identities.length, folds, model.threshold)];
      if (identified) lines.push(openSetText(identified));
      lines.push(...groups.map(groupText));
      const outcome: Outcome = {
        result: { ...verification, openSet: identified ?? null, ...(groups.length > 0 && { groups }) },
        text: lines.join("\n"),
      };
      const about = { ...names, folds, verification, openSet: identified, roc: roc(scored) };
      return withReport(outcome, options, () =>
        evaluationReport(model, dataset, scored, about, (item) => pictureUri(item, model.imageSize)),
      );
    });
  });
}

/** A list of several sets is cross-validated over them, by LFW's protocol; a single set, over identities. */
async function listedPairs(
  model: Model,
  all: Dataset,
  names: { model: string; data: string },
  { pairs: path, ...options }: Options,
): Promise<Outcome> {
  const { dataset, pairs, sets } = await readPairs(path!, all);
  const count = new Set(sets).size;
  const folds = count > 1 ? sets : undefined;
  const { report, scored } = await showing(dataset, (onProgress) =>
    evaluateModel(model, dataset, pairs, folds, onProgress),
  );
  const verification = evaluatePairs(report, scored, dataset, options);
  const over = count > 1 ? `over ${count} sets` : "the list has a single set: over folds of people";
  const people = new Set(labelsOf(dataset)).size;
  const text = verificationText(verification, people, over, model.threshold);
  const about = { ...names, folds: over, verification, roc: roc(scored) };
  return withReport({ result: { ...verification, sets: count }, text }, options, () =>
    evaluationReport(model, dataset, scored, about, (item) => pictureUri(item, model.imageSize)),
  );
}

/** Writes the report if one was asked for. */
async function withReport(
  { result, text }: Outcome,
  { report: file }: Pick<Options, "report">,
  make: () => Promise<EvaluationReport>,
): Promise<Outcome> {
  if (file === undefined) return { result, text };
  const report = resolve(file);
  const { evaluationPage } = await import("../../../report/evaluationPage.ts"); // with the charts' library: 0.6 s to load
  const page = evaluationPage(await make());
  await writeOutput(report, page);
  return { result: { ...result, report }, text: `${text}\nreport: ${report}` };
}

/** Metrics on training identities are too optimistic: warns, or with --unseen leaves those identities out. */
export async function chooseUnseen(
  modelPath: string,
  data: string[],
  options: DataFlags & { unseen?: boolean; groupBy?: string },
  needs: PictureNeeds,
): Promise<Dataset> {
  const what = data.join(" ");
  const record = trainingRecord(await readModelFile(modelPath));
  const opened = await openData(data, options, note, needs);
  const dataset = groupedBy(opened, options.groupBy ?? record?.settings.groupBy, data);
  const trainedOnThese = record?.people === peopleDigest(dataset);
  if (!options.unseen) {
    if (trainedOnThese)
      warn("this model was trained on most of these people: the metrics are too optimistic; see --unseen");
    warnOfShared(dataset, sessionsOf(dataset, record?.groups), warn);
    return dataset;
  }
  if (!record || !trainedOnThese) {
    throw new TwingradError("BAD_INPUT", `${what}: this model was not trained on these people; omit --unseen`);
  }
  const { heldOut } = divide(recognition, dataset, record.settings);
  if (!heldOut) throw new TwingradError("BAD_INPUT", `${what}: this model's training held out no identities`);
  return heldOut;
}
