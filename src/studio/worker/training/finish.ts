// The model of a finished run: its best checkpoint, with the threshold and calibration fitted on held-out identities.
import type { Dataset } from "../../../data/dataset.ts";
import type { Device } from "../../../gpu/device.ts";
import { evaluateModel } from "../../../recognition/evaluateModel.ts";
import { Model, withOperatingPoint } from "../../../recognition/recognitionModel.ts";
import { evaluationDataset, heldOutPairs } from "./heldOut.ts";

export async function finishedModel(device: Device, bytes: Uint8Array, heldOut: Dataset): Promise<Uint8Array> {
  const people = evaluationDataset(heldOut);
  if (!people) return bytes;
  const model = await Model.open(device, bytes);
  try {
    const { report, calibration } = await evaluateModel(model, people, heldOutPairs(people));
    return await withOperatingPoint(bytes, { threshold: report.threshold, calibration });
  } finally {
    await model.dispose();
  }
}
