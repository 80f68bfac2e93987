// From a run's settings to its network, batches and trainer.
import { augmentationPresets } from "../../../data/augmentation/ranges.ts";
import type { Batch } from "../../../data/batch.ts";
import { type BatchStream, batches, classBatches } from "../../../data/batches.ts";
import { type Dataset, labelsOf } from "../../../data/dataset.ts";
import { DecodedImages } from "../../../data/decodedImages.ts";
import { balancedPairs, perClass } from "../../../data/sampling/balanced.ts";
import { picturesOfEach } from "../../../data/sampling/sampler.ts";
import type { Device } from "../../../gpu/device.ts";
import { siamese } from "../../../nn/siamese.ts";
import { adam, adamW } from "../../../optim/adam.ts";
import { learningRateSchedule } from "../../../optim/schedule.ts";
import { type Recovered, Trainer } from "../../../train/trainer.ts";
import type { RunSettings } from "../../messages.ts";

const onPairs = (settings: RunSettings) => settings.loss === "cross-entropy" || settings.loss === "contrastive";

/** The settings as they take effect: with no more people in a batch than there are, and a warmup within the run. */
export function possible(settings: RunSettings, dataset: Dataset): RunSettings {
  return {
    ...settings,
    identitiesPerBatch: batchOf(settings, labelsOf(dataset)).people,
    warmUp: Math.min(settings.warmUp, Math.floor(settings.steps / 2)),
  };
}

/** The batch size of a step, in pictures or in pairs. */
function batchOf(settings: RunSettings, labels: ArrayLike<number>) {
  const several = picturesOfEach(labels).filter(({ length }) => length > 1).length;
  const people = Math.max(2, Math.min(settings.identitiesPerBatch, several));
  const pictures = people * settings.picturesPerIdentity;
  return { people, batchSize: onPairs(settings) ? Math.max(1, Math.floor(pictures / 2)) : pictures };
}

export function streamOf(dataset: Dataset, settings: RunSettings): BatchStream<Batch & { readonly epoch: number }> {
  const labels = labelsOf(dataset);
  const { seed, imageSize, channels, picturesPerIdentity } = settings;
  const images = new DecodedImages(dataset, [imageSize, imageSize, channels], { maximumBytes: 2 ** 28 });
  const { people, batchSize } = batchOf(settings, labels);
  if (onPairs(settings)) return batches(images, balancedPairs(labels, { seed }), { batchSize });
  return classBatches(images, perClass(labels, { seed, identitiesPerBatch: people, picturesPerIdentity }));
}

export function trainerOf(
  device: Device,
  dataset: Dataset,
  settings: RunSettings,
  onRecovery: (recovered: Recovered) => void,
): Promise<Trainer> {
  const { imageSize, channels, filters, embedding, loss, seed, steps, schedule, l2, augmentation } = settings;
  const network = siamese({
    imageSize: [imageSize, imageSize, channels],
    filters,
    embedding,
    embeddingActivation: loss === "cross-entropy" ? "sigmoid" : "linear",
    seed,
  });
  const learningRate = learningRateSchedule({
    learningRate: settings.learningRate,
    kind: schedule,
    warmUp: possible(settings, dataset).warmUp, // runs that were stored before have it as it was entered
    ...(schedule === "cosine" && { steps }),
  });
  const optimizer = settings.optimizer === "adamw" ? adamW({ learningRate }) : adam({ learningRate });
  return Trainer.create(device, network, {
    batchSize: batchOf(settings, labelsOf(dataset)).batchSize,
    loss,
    ...(loss === "triplet" && { mining: "batch-hard" }),
    l2,
    optimizer,
    ...(augmentation !== "none" && { augmentation: { ...augmentationPresets[augmentation], seed } }),
    recovery: { onRecovery },
  });
}
