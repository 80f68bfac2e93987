// The data stream of a recognition run.
import {
  alignedDataset,
  balancedPairs,
  balancingDifferentProbability,
  batches,
  classBatches,
  type Dataset,
  DecodedImages,
  expectedPairs,
  filteredPairs,
  type ImageSize,
  labelsOf,
  perClass,
  type Share,
  tripletBatches,
  triplets,
  yieldWarnings,
} from "../../index.ts";
import { comparesAll, picturesOfEach, type TowerAlignment } from "../../internal.ts";
import { defaultIdentitiesPerBatch, defaultPicturesPerIdentity } from "../options/lossSettings.ts";
import type { ResolvedSettings } from "../options/settingsSchema.ts";
import type { TrainingStream } from "./tasks/task.ts";

export const mebibyte = 2 ** 20;

/**
 * @param decoded size of decoded pictures.
 * @param alignment applied to the input of the towers that it names.
 * @param warn called for kinds of pairs that are too rare.
 * @throws BAD_INPUT if the dataset has no pairs, no triplets, or too few people for a batch.
 */
export function trainingStream(
  dataset: Dataset,
  decoded: ImageSize,
  settings: ResolvedSettings,
  warn: (text: string) => void,
  alignment?: TowerAlignment,
  share?: Share,
): TrainingStream {
  const { seed, batchSize, prefetch, imageCache, loss, towers = ["pixels"] } = settings;
  const labels = labelsOf(dataset);
  const inPlace = towers.map((kind) => alignment?.towers.includes(kind) ?? false);
  const maximumBytes = (imageCache * mebibyte) / new Set(inPlace).size;
  const decodedIn = (some: Dataset) => new DecodedImages(some, decoded, { maximumBytes });
  const unaligned = decodedIn(dataset);
  const moved = alignment && decodedIn(alignedDataset(dataset, alignment));
  const byTower = inPlace.map((aligned) => (aligned && moved ? moved : unaligned));
  const [images] = byTower;
  const options = { batchSize, prefetch, share };
  const ranks = share?.size ?? 1;
  const perEpoch = labels.length;
  if (comparesAll(settings)) {
    const several = picturesOfEach(labels).filter(({ length }) => length > 1).length;
    const { picturesPerIdentity = defaultPicturesPerIdentity } = settings;
    const { identitiesPerBatch = Math.max(2, Math.min(defaultIdentitiesPerBatch, several)) } = settings;
    const sampler = perClass(labels, { seed, identitiesPerBatch, picturesPerIdentity });
    const pictures = identitiesPerBatch * picturesPerIdentity * towers.length;
    const steps = (epochs: number) => Math.ceil((epochs * perEpoch) / (pictures * ranks)); // the last batch of an epoch may be partial
    return {
      stream: classBatches(byTower, sampler, { prefetch, share, together: towers.length }),
      batchSize: pictures,
      perEpoch,
      steps,
    };
  }
  const counted = (perEpoch: number) => ({
    batchSize,
    perEpoch,
    steps: (epochs: number) => Math.floor((epochs * perEpoch) / (batchSize * ranks)),
  });
  if (loss === "triplet") {
    return { stream: tripletBatches(images, triplets(labels, { seed }), options), ...counted(perEpoch) };
  }
  if (settings.balanced)
    return { stream: batches(images, balancedPairs(labels, { seed }), options), ...counted(perEpoch) };

  const { shuffleBuffer, sameProbability } = settings;
  const differentProbability =
    settings.differentProbability ?? balancingDifferentProbability(labels, sameProbability, shuffleBuffer);
  const keep = { sameProbability, differentProbability };
  const pairs = filteredPairs(labels, { ...keep, seed, shuffleBuffer });
  for (const text of yieldWarnings(labels, keep, shuffleBuffer)) warn(text);
  const { same, different } = expectedPairs(labels, keep, shuffleBuffer);
  return { stream: batches(images, pairs, options), ...counted(same + different) };
}
