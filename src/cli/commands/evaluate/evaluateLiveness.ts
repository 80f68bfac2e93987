// twingrad evaluate for a liveness model: the error rates of presentation attack detection.
import {
  crossFittedReport,
  type LivenessDataset,
  type LivenessReport,
  livenessReport,
  type Presentation,
  TwingradError,
} from "../../../index.ts";
import { checkLivenessThreshold, livenessLogits, meanLoss, readModelFile, scoreOf } from "../../../internal.ts";
import { type DataFlags, groupedBy, openLiveness } from "../../options/dataOptions.ts";
import { digits, note, type Outcome, percent, warn } from "../../outcome.ts";
import { Progress } from "../../progress.ts";
import { peopleDigest, trainingRecord } from "../../run/runRecord.ts";
import { liveness } from "../../run/tasks/livenessTask.ts";
import { divide } from "../../run/training.ts";
import { picturesFor, showing, withLiveness } from "../models.ts";
import { robustness, robustnessText } from "./robustness.ts";
import { sessionsOf, warnOfShared } from "./sessions.ts";

export interface LivenessOptions extends DataFlags {
  unseen?: boolean;
  threshold?: number;
  groupBy?: string;
  robustness?: number;
}

export async function evaluateLiveness(modelPath: string, data: string[], options: LivenessOptions): Promise<Outcome> {
  const { threshold: given, unseen = false } = options;
  if (given !== undefined) checkLivenessThreshold(given);
  return withLiveness(modelPath, async (model) => {
    const what = data.join(" ");
    const record = trainingRecord(await readModelFile(modelPath));
    const opened = await openLiveness(data, options, note, picturesFor(model));
    let dataset = groupedBy(opened, options.groupBy ?? record?.settings.groupBy, data);
    const trainedOnThese = record?.people === peopleDigest(dataset) && record.pictures === dataset.items.length;
    if (unseen) {
      if (!record || !trainedOnThese) {
        throw new TwingradError("BAD_INPUT", `${what}: this model was not trained on these people; omit --unseen`);
      }
      const { heldOut } = divide(liveness, dataset, record.settings);
      if (!heldOut) throw new TwingradError("BAD_INPUT", `${what}: this model's training held out no identities`);
      dataset = heldOut;
    } else if (trainedOnThese) {
      warn("this model was trained on most of these people: the metrics are too optimistic; see --unseen");
    }
    const sessions = sessionsOf(dataset, record?.groups);
    warnOfShared(dataset, sessions, warn);
    const presentations = await showing(dataset, (onProgress) => livenessLogits(model, dataset, onProgress));
    // The model's threshold was set on the held-out people: cross-fitted thresholds avoid evaluating on the same data.
    const crossFitted = unseen && given === undefined && record?.settings.groupBy === undefined;
    const threshold = given ?? model.threshold;
    const report = crossFitted
      ? crossFittedReport(presentations, dataset)
      : livenessReport(presentations, logitOf(threshold));
    const groups = byGroup(presentations, dataset, sessions.tested, report.threshold);
    const robust =
      options.robustness === undefined
        ? undefined
        : await measureRobustness(model, dataset, options.robustness, report.threshold);
    const result = {
      ...report,
      loss: meanLoss(presentations),
      threshold: crossFitted ? scoreOf(report.threshold) : threshold,
      sessions,
      ...(groups.length > 0 && { groups }),
      ...(robust && { robustness: robust }),
    };
    const lines = [inWords(result, dataset.identities.length, crossFitted), ...groups.map(groupText)];
    if (robust) lines.push(robustnessText(robust));
    return { result, text: [...lines, sessions.promise].join("\n") };
  });
}

async function measureRobustness(
  ...[model, dataset, perClass, threshold]: [Parameters<typeof robustness>[0], LivenessDataset, number, number]
) {
  let progress: Progress | undefined;
  try {
    return await robustness(model, dataset, {
      perClass,
      threshold,
      onProgress(done, of) {
        progress ??= new Progress(of, 0, "change");
        progress.update(done);
      },
    });
  } finally {
    progress?.stop();
  }
}

const logitOf = (share: number) => Math.log(share / (1 - share));

type GroupReport = { readonly name: string } & Omit<LivenessReport, "threshold">;

/** The report of each group with pictures of both classes, if there are several groups. */
function byGroup(
  presentations: readonly Presentation[],
  { items }: LivenessDataset,
  names: readonly string[],
  threshold: number,
): GroupReport[] {
  if (names.length < 2) return [];
  return names.flatMap((name) => {
    const own = presentations.filter((_, i) => items[i].group === name);
    if (new Set(own.map(({ live }) => live)).size < 2) return [];
    const { threshold: _, ...report } = livenessReport(own, threshold);
    return [{ name, ...report }];
  });
}

const groupText = ({ name, live, spoof, hter, apcer, bpcer, auc }: GroupReport) =>
  `group ${name}: ${live} bona fide, ${spoof} attacks: HTER ${percent(hter)} (APCER ${percent(apcer)}, BPCER ${percent(bpcer)}), AUC ${digits(auc)}`;

function inWords(report: LivenessReport, people: number, crossFitted: boolean): string {
  const { live, spoof, hter, apcer, bpcer, eer, auc, threshold } = report;
  const how = crossFitted ? "cross-fitted over people; threshold of all" : "threshold";
  return [
    `${live} bona fide pictures and ${spoof} presentation attacks of ${people} people`,
    `HTER ${percent(hter)} (${how} ${digits(threshold)})`,
    `APCER ${percent(apcer)} (attacks accepted), BPCER ${percent(bpcer)} (bona fide pictures refused)`,
    `EER ${percent(eer)}, AUC ${digits(auc)}`,
  ].join("\n");
}
