// twingrad evaluate: how well a model tells people apart.
import type { Command } from "commander";
import { type Dataset, type ImageSize, labelsOf } from "../../data/dataset.ts";
import { allPairs, oneShotTrials, pairsPerIdentity } from "../../data/evaluation.ts";
import { TwingradError } from "../../gpu/errors.ts";
import { assess, assessOneShot } from "../assessment.ts";
import { addDataOptions, type DataFlags, dataHelp, openData } from "../data.ts";
import { readModelFile } from "../files.ts";
import { peopleDigest, trainingRecord } from "../record.ts";
import { divide } from "../training.ts";
import { action, digits, note, type Outcome, percent, wholeNumber, withModel } from "./common.ts";

interface Options extends DataFlags {
  pairsPerIdentity: number | "all";
  oneShot?: number;
  trials: number;
  seed: number;
  unseen?: boolean;
}

export function addEvaluate(program: Command): void {
  const command = program
    .command("evaluate")
    .description("Judges a model on pictures of people: verification by pairs, or one-shot recognition.")
    .argument("<model>", "what `twingrad train` wrote: the file or its folder")
    .argument("<data...>", dataHelp)
    .option(
      "--pairs-per-identity <count>",
      "pairs of each person's own pictures, and as many with other people's; all: every pair of pictures",
      (text) => (text === "all" ? text : wholeNumber(1)(text)),
      50,
    )
    .option("--one-shot <ways>", "instead: which of so many people, each shown once, is on a picture?", wholeNumber(2))
    .option("--trials <count>", "how many one-shot questions", wholeNumber(1), 1000)
    .option("--seed <number>", "of the questions", wholeNumber(0), 1)
    .option("--unseen", "only the people whom the training of this model held out of this data");
  action(addDataOptions(command), async (modelPath: string, data: string[], options: Options) =>
    withModel(modelPath, async (model): Promise<Outcome> => {
      const dataset = await chooseUnseen(modelPath, data, options, model.imageSize);
      const labels = labelsOf(dataset);
      const { seed, trials, oneShot: ways } = options;
      if (ways !== undefined) {
        const accuracy = await assessOneShot(model, dataset, oneShotTrials(labels, { ways, trials, seed }));
        return {
          result: { trials, ways, accuracy },
          text: `${ways}-way one-shot accuracy ${percent(accuracy)} (${trials} trials)`,
        };
      }
      const perIdentity = options.pairsPerIdentity;
      const pairs = perIdentity === "all" ? allPairs(labels) : pairsPerIdentity(labels, { perIdentity, seed });
      const { report } = await assess(model, dataset, pairs);
      const lines = [
        `${report.pairs} pairs of ${dataset.identities.length} people`,
        `accuracy ${percent(report.accuracy)} (standard deviation over folds ${percent(report.accuracyStd)})`,
        `AUC ${digits(report.auc)}, EER ${percent(report.eer)}`,
        `true accepts ${percent(report.tarAtFar["0.01"])} at 1 % false accepts, ${percent(report.tarAtFar["0.001"])} at 0.1 %`,
        `best threshold ${digits(report.threshold)}; the model's is ${digits(model.threshold)}`,
      ];
      return { result: report, text: lines.join("\n") };
    }),
  );
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
