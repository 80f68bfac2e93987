// The model of a finished run: its best state with the threshold and the calibration that held-out identities gave.
import { type Dataset, indicesByIdentity, labelsOf, subset } from "../../../data/dataset.ts";
import { pairsPerIdentity } from "../../../data/sampling/evaluationPairs.ts";
import type { Device } from "../../../gpu/device.ts";
import { assess } from "../../../recognition/assessment.ts";
import { Model, withJudgement } from "../../../recognition/recognitionModel.ts";

const pairsEach = 50;
/** About how many pictures a state is evaluated by. */
const enough = 500;

/** Of the held-out identities those who are evaluated by; undefined where they give no pairs of both kinds. */
export function evaluationDataset(heldOut: Dataset): Dataset | undefined {
  const groups = indicesByIdentity(labelsOf(heldOut));
  const several = groups.map((_, identity) => identity).filter((identity) => groups[identity].length > 1);
  if (several.length < 2) return undefined;
  const chosen: number[] = [];
  for (let pictures = 0, i = 0; i < several.length && (pictures < enough || chosen.length < 2); i++) {
    chosen.push(several[i]);
    pictures += groups[several[i]].length;
  }
  return subset(heldOut, chosen);
}

export async function finishedModel(device: Device, bytes: Uint8Array, heldOut: Dataset): Promise<Uint8Array> {
  const people = evaluationDataset(heldOut);
  if (!people) return bytes;
  const model = await Model.open(device, bytes);
  try {
    const pairs = pairsPerIdentity(labelsOf(people), { perIdentity: pairsEach, seed: 1 });
    const { report, calibration } = await assess(model, people, pairs);
    return await withJudgement(bytes, { threshold: report.threshold, calibration });
  } finally {
    await model.dispose();
  }
}
