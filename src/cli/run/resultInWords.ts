// The result of a training run, as text.
import { digits, percent } from "../outcome.ts";
import type { TrainingResult } from "./training.ts";

/** Pace, losses, ranks, held-out metrics and the kept state: a line each. */
export function resultInWords({
  steps,
  epochs,
  firstLoss,
  lastLoss,
  validation,
  stepsPerSecond,
  waitingForData,
  checkpoint,
  interrupted,
  stopped,
  kept,
  ranks,
  syncEvery,
  communication,
  samplesPerSecond,
  slowest,
}: TrainingResult): string {
  const losses =
    firstLoss === null || lastLoss === null ? "" : `; first loss ${digits(firstLoss)}, last loss ${digits(lastLoss)}`;
  const pace = `${digits(stepsPerSecond)} steps/s, ${percent(waitingForData)} of the time waiting for data`;
  const lines = [`${steps} steps (${epochs} epochs), ${pace}${losses}`];
  if (ranks !== undefined && slowest) {
    const exchanges = syncEvery === 1 ? "gradients each step" : `parameters every ${syncEvery} steps`;
    const rates = `${digits(samplesPerSecond!)} samples a second, ${percent(communication!)} of the time exchanging ${exchanges}`;
    lines.push(`${ranks} ranks: ${rates}; the slowest is rank ${slowest.rank} on ${slowest.host}`);
  }
  if (interrupted) {
    const saved = checkpoint === null ? "no checkpoint could be saved" : `continue from ${checkpoint} with --resume`;
    return [...lines, `stopped early: ${saved}`].join("\n");
  }
  if (stopped) lines.push(`stopped: ${stopped}`);
  if (validation) lines.push(`on held-out identities: ${inWords(validation)}`);
  return [...lines, `${checkpoint!}: ${keptInWords(kept!)}`].join("\n");
}

function keptInWords({ which, step, auc }: NonNullable<TrainingResult["kept"]>): string {
  const evaluated = auc === null ? "" : `, AUC ${digits(auc)} on held-out identities at its checkpoint`;
  return `the ${which} state, step ${step}${evaluated}`;
}

function inWords(figures: Readonly<Record<string, number>>): string {
  const { accuracy, auc, eer, threshold, hter, apcer, bpcer } = figures;
  const first =
    hter === undefined
      ? `accuracy ${percent(accuracy)}`
      : `HTER ${percent(hter)} (APCER ${percent(apcer)}, BPCER ${percent(bpcer)})`;
  return `${first}, AUC ${digits(auc)}, EER ${percent(eer)}, threshold ${digits(threshold)}`;
}
