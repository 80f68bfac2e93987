// Evaluates a liveness model on a dataset.
import { DecodedImages } from "../data/decodedImages.ts";
import type { LivenessDataset } from "../data/sources/livenessDataset.ts";
import type { Presentation } from "../evaluation/presentation.ts";
import { softplus } from "../model/trained.ts";
import { chunk } from "./evaluateModel.ts";
import type { LivenessModel } from "./livenessModel.ts";

/**
 * Each picture's logit as its score, in the dataset's order: unlike a probability it is not rounded to ties.
 * @param onProgress called with the number of pictures done.
 */
export async function livenessLogits(
  model: LivenessModel,
  dataset: LivenessDataset,
  onProgress?: (done: number) => void,
): Promise<Presentation[]> {
  const images = new DecodedImages(dataset, model.imageSize, { maximumBytes: 0 });
  const found: Presentation[] = [];
  for (let first = 0; first < dataset.items.length; first += chunk) {
    const indices = dataset.items.slice(first, first + chunk).map((_, offset) => first + offset);
    const logits = await model.logits(await images.stack(indices));
    for (const [n, index] of indices.entries()) found.push({ score: logits[n], live: dataset.items[index].live });
    onProgress?.(found.length);
  }
  return found;
}

/** Cross-entropy of the logits, with equal weight for both kinds, as in training batches. */
export function meanLoss(presentations: readonly Presentation[]): number {
  const means = [true, false].map((kind) => {
    const own = presentations.filter(({ live }) => live === kind);
    return own.reduce((sum, { score }) => sum + softplus(kind ? -score : score), 0) / own.length;
  });
  return (means[0] + means[1]) / 2;
}
