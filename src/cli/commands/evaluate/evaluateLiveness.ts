// twingrad evaluate of a liveness model: how well it tells live people from pictures of people.
import { crossFittedReport, type LivenessReport, livenessReport, TwingradError } from "../../../index.ts";
import { checkLivenessThreshold, livenessLogits, meanLoss, readModelFile, scoreOf } from "../../../internal.ts";
import { type DataFlags, openLiveness } from "../../options/dataOptions.ts";
import { digits, note, type Outcome, percent, warn } from "../../outcome.ts";
import { peopleDigest, trainingRecord } from "../../run/runRecord.ts";
import { liveness } from "../../run/tasks/livenessTask.ts";
import { divide } from "../../run/training.ts";
import { picturesFor, showing, withLiveness } from "../models.ts";

export interface LivenessOptions extends DataFlags {
  unseen?: boolean;
  threshold?: number;
}

export async function evaluateLiveness(modelPath: string, data: string[], options: LivenessOptions): Promise<Outcome> {
  const { threshold: given, unseen = false } = options;
  if (given !== undefined) checkLivenessThreshold(given);
  return withLiveness(modelPath, async (model) => {
    const what = data.join(" ");
    let dataset = await openLiveness(data, options, note, picturesFor(model));
    const record = trainingRecord(await readModelFile(modelPath));
    const trainedOnThese = record?.people === peopleDigest(dataset) && record.pictures === dataset.items.length;
    if (unseen) {
      if (!record || !trainedOnThese) {
        throw new TwingradError(
          "BAD_INPUT",
          `${what}: this model was not trained on these people: leave --unseen away`,
        );
      }
      const { heldOut } = divide(liveness, dataset, record.settings);
      if (!heldOut) throw new TwingradError("BAD_INPUT", `${what}: the training of this model held nobody out`);
      dataset = heldOut;
    } else if (trainedOnThese) {
      warn("this model was trained on most of these people: the figures flatter it; see --unseen");
    }
    const presentations = await showing(dataset, (told) => livenessLogits(model, dataset, told));
    // The model's threshold was set on the people held out: they are judged by one that each had no part in.
    const crossFitted = unseen && given === undefined;
    const threshold = given ?? model.threshold;
    const report = crossFitted
      ? crossFittedReport(presentations, dataset)
      : livenessReport(presentations, logitOf(threshold));
    const result = {
      ...report,
      loss: meanLoss(presentations),
      threshold: crossFitted ? scoreOf(report.threshold) : threshold,
    };
    return { result, text: inWords(result, dataset.identities.length, crossFitted) };
  });
}

const logitOf = (share: number) => Math.log(share / (1 - share));

function inWords(report: LivenessReport, people: number, crossFitted: boolean): string {
  const { live, spoof, hter, apcer, bpcer, eer, auc, threshold } = report;
  const how = crossFitted ? "each person judged by the threshold of the others; of all it is" : "threshold";
  return [
    `${live} pictures of live people and ${spoof} of pictures, ${people} people together`,
    `HTER ${percent(hter)} (${how} ${digits(threshold)})`,
    `taken for live: ${percent(apcer)} of the pictures of pictures (APCER); refused: ${percent(bpcer)} of the live ones (BPCER)`,
    `EER ${percent(eer)}, AUC ${digits(auc)}`,
  ].join("\n");
}
