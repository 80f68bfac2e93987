// One training run over a dataset: batches in, steps in flight, checkpoints on the way, a judged model at the end.
import { createHash } from "node:crypto";
import { join } from "node:path";
import { balancedPairs } from "../data/balanced.ts";
import { batches } from "../data/batches.ts";
import { type Dataset, type ImageSize, labelsOf, splitIdentities } from "../data/dataset.ts";
import { DecodedImages } from "../data/decodedImages.ts";
import { pairsPerIdentity } from "../data/evaluation.ts";
import { filteredPairs, type Pair } from "../data/pairs.ts";
import type { Sampler } from "../data/sampler.ts";
import { balancingDifferentProbability, expectedPairs, yieldWarnings } from "../data/yield.ts";
import type { Device } from "../gpu/device.ts";
import { TwingradError } from "../gpu/errors.ts";
import { siamese } from "../nn/siamese.ts";
import { adam } from "../optim/adam.ts";
import { Model, withJudgement } from "../recognition/model.ts";
import { StepsInFlight } from "../train/inFlight.ts";
import { decode } from "../train/safetensors.ts";
import { Trainer } from "../train/trainer.ts";
import { assess } from "./assessment.ts";
import { modelFile, saveModel } from "./files.ts";
import { Progress } from "./progress.ts";
import { parseTrainingRecord, type ResolvedSettings, type TrainingRecord } from "./settings.ts";

/** Pairs of each kind for each person that the threshold is set by. */
const judgedPairs = 50;
const trainingKey = "training";

export interface TrainingResult {
  steps: number;
  /** Passes over the data that were completed. */
  epochs: number;
  firstLoss: number;
  lastLoss: number;
  /** On people held out of training; null when nobody was. */
  validation: { loss: number; accuracy: number; auc: number; eer: number; threshold: number } | null;
  stepsPerSecond: number;
  checkpoint: string;
}

/** The training record in a model file; undefined where another program saved it. */
export function trainingRecord(bytes: Uint8Array): TrainingRecord | undefined {
  const text = decode(bytes).metadata[trainingKey];
  return text === undefined ? undefined : parseTrainingRecord(text);
}

/** A fingerprint of the set of names: to notice the training data without keeping anybody's name. */
export function peopleDigest(dataset: Dataset): string {
  return createHash("sha256")
    .update(JSON.stringify([...dataset.identities].sort()))
    .digest("hex");
}

/** The dataset's people as a run with these settings divides them. */
export function divide(dataset: Dataset, { validation, seed }: { validation: number; seed: number }) {
  if (validation === 0) return { training: dataset, heldOut: undefined };
  try {
    return splitIdentities(dataset, { fraction: validation, seed });
  } catch (error) {
    const { code, message } = error as TwingradError;
    throw new TwingradError(code, `${message}; --validation 0 holds nobody out`, { cause: error });
  }
}

/**
 * Trains on `dataset` and leaves `model.safetensors` in `folder`.
 * @param resume the bytes of the checkpoint to go on from.
 * @param warn is told what the user should know, in one line each.
 */
export async function train(
  device: Device,
  dataset: Dataset,
  settings: ResolvedSettings,
  { folder, resume, warn }: { folder: string; resume?: Uint8Array; warn: (text: string) => void },
): Promise<TrainingResult> {
  const imageSize = imageSizeOf(settings);
  const { training, heldOut } = divide(dataset, settings);
  const { pairs, pairsPerEpoch } = pairStream(training, settings, warn);
  const { filters, embedding, seed, batchSize, loss, l2, learningRate, clipNorm } = settings;
  const trainer = await Trainer.create(device, siamese({ imageSize, filters, embedding, seed }), {
    batchSize,
    loss,
    l2,
    optimizer: adam({ learningRate, clipNorm }),
  });
  if (resume) await trainer.load(resume);

  const record: TrainingRecord = {
    settings,
    people: peopleDigest(dataset),
    pictures: dataset.items.length,
  };
  const checkpoint = join(folder, modelFile);
  const save = () => trainer.save({ [trainingKey]: JSON.stringify(record) });
  const run = await steps(trainer, training, pairs, pairsPerEpoch, settings, async () =>
    saveModel(checkpoint, await save()),
  );

  const judgedPeople = heldOut ?? training;
  const bytes = await save();
  const model = await Model.open(device, bytes);
  const questions = pairsPerIdentity(labelsOf(judgedPeople), { perIdentity: judgedPairs, seed });
  const { report, loss: validationLoss, calibration } = await assess(model, judgedPeople, questions);
  const { accuracy, auc, eer, threshold } = report;
  if (!heldOut)
    warn("nobody was held out: the threshold comes from people the network has seen, and may be too strict");
  await saveModel(checkpoint, await withJudgement(bytes, { threshold, calibration }));
  const validation = heldOut ? { loss: validationLoss, accuracy, auc, eer, threshold } : null;
  return { ...run, validation, checkpoint };
}

export function imageSizeOf({ imageSize, channels }: Pick<ResolvedSettings, "imageSize" | "channels">): ImageSize {
  return typeof imageSize === "number" ? [imageSize, imageSize, channels] : [imageSize[0], imageSize[1], channels];
}

function pairStream(dataset: Dataset, settings: ResolvedSettings, warn: (text: string) => void) {
  const labels = labelsOf(dataset);
  const { seed, shuffleBuffer, sameProbability } = settings;
  if (settings.balanced) return { pairs: balancedPairs(labels, { seed }), pairsPerEpoch: labels.length };
  const differentProbability =
    settings.differentProbability ?? balancingDifferentProbability(labels, sameProbability, shuffleBuffer);
  const keep = { sameProbability, differentProbability };
  const pairs = filteredPairs(labels, { ...keep, seed, shuffleBuffer });
  for (const text of yieldWarnings(labels, keep, shuffleBuffer)) warn(text);
  const { same, different } = expectedPairs(labels, keep, shuffleBuffer);
  return { pairs, pairsPerEpoch: same + different };
}

async function steps(
  trainer: Trainer,
  dataset: Dataset,
  pairs: Sampler<Pair>,
  pairsPerEpoch: number,
  settings: ResolvedSettings,
  saveCheckpoint: () => Promise<void>,
): Promise<Pick<TrainingResult, "steps" | "epochs" | "firstLoss" | "lastLoss" | "stepsPerSecond">> {
  const { batchSize, augment, checkpointEvery } = settings;
  const { steps: lastStep = Number.POSITIVE_INFINITY, epochs: lastEpoch = Number.POSITIVE_INFINITY } = settings;
  const before = trainer.steps;
  const expected = Math.floor((lastEpoch * pairsPerEpoch) / batchSize);
  const progress = new Progress(Math.min(lastStep, expected), before);
  const images = new DecodedImages(dataset, trainer.network.options.imageSize);
  for (let drawn = 0; drawn < before * batchSize; drawn++) pairs.next();
  const stream = batches(images, pairs, { batchSize, augmentation: augment });

  const losses: number[] = [];
  const begun = performance.now();
  let firstSettled = begun;
  const running = new StepsInFlight(trainer, ({ loss, step }) => {
    if (!Number.isFinite(loss)) {
      throw new TwingradError(
        "NOT_FINITE",
        `the loss of step ${step} is ${loss}; a smaller --learning-rate may help; the last checkpoint is kept`,
      );
    }
    losses.push(loss);
    progress.update(step, loss);
    if (losses.length === 1) firstSettled = performance.now();
  });

  let epochs = 0;
  try {
    for (let step = before; step < lastStep; step++) {
      const batch = (await stream.next()).value;
      epochs = Math.min(batch.epoch, lastEpoch);
      if (batch.epoch >= lastEpoch) break;
      await running.step(batch);
      if ((step + 1) % checkpointEvery === 0 && step + 1 < lastStep) {
        await running.drain();
        await saveCheckpoint();
      }
    }
    await running.drain();
  } finally {
    progress.stop();
  }
  if (losses.length === 0) {
    throw new TwingradError(
      "BAD_INPUT",
      before > 0
        ? `there is nothing left to do: the run to resume has made ${before} steps; ask for more --steps or --epochs`
        : `${lastEpoch} epochs of about ${pairsPerEpoch.toFixed(1)} pairs fill no batch of ${batchSize}`,
    );
  }
  // The first step waits for whatever the driver still prepares: it is no part of the pace, unless it is all there is.
  const [counted, since] = losses.length > 1 ? [losses.length - 1, firstSettled] : [1, begun];
  const seconds = (performance.now() - since) / 1000;
  return {
    steps: before + losses.length,
    epochs,
    firstLoss: losses[0],
    lastLoss: losses[losses.length - 1],
    stepsPerSecond: counted / seconds,
  };
}
