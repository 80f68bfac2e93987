// The demo's training run: the article's tower, small enough for two minutes on a software adapter, and a loss on all
// pairs of a batch.
import {
  adam,
  classBatches,
  type Dataset,
  DecodedImages,
  type Device,
  labelsOf,
  learningRateSchedule,
  perClass,
  siamese,
  Trainer,
} from "../../index.ts";
import { StepsInFlight } from "../../internal.ts";

import { Progress } from "../progress.ts";
import { faceSize } from "./demoPeople.ts";

const filters = [8, 16, 32, 32];
const embedding = 128;
/** People, and pictures of each: every picture has two positives and many negatives. */
const batch = { identitiesPerBatch: 16, picturesPerIdentity: 3 };
const highestRate = 1e-2;
const warmUpSteps = 20;

export const networkInWords =
  `${filters.length} blocks of conv 3x3 → max-pool 2x2 → batch-norm → ReLU with ${filters.join(", ")} filters on ` +
  `${faceSize} x ${faceSize} x 3, an embedding of ${embedding} values normalized ` +
  `to unit length; the distance of two pictures is the Euclidean distance of their embeddings, 0 to 2`;

export interface TrainingRun {
  losses: number[];
  /** Identities in a batch, and pictures of each. */
  batch: { identitiesPerBatch: number; picturesPerIdentity: number };
  stepsPerSecond: number;
  /** The trained network as a checkpoint. */
  model: Uint8Array;
  launches: number;
  /** Planned bytes of GPU memory. */
  bytes: number;
  /** In one step; null where the adapter has no timestamps. */
  kernels: { kernel: string; launches: number; nanoseconds: number }[] | null;
  seconds: { compile: number; train: number };
}

export async function trainOnFaces(
  device: Device,
  people: Dataset,
  { steps, seed }: { steps: number; seed: number },
): Promise<TrainingRun> {
  const started = performance.now();
  const imageSize = [faceSize, faceSize, 3] as const;
  const network = siamese({ imageSize, filters, embedding, embeddingActivation: "linear", seed });
  // A cosine schedule: a short run needs a high rate early and a low one at the end.
  const learningRate = learningRateSchedule({
    learningRate: highestRate,
    kind: "cosine",
    warmUp: Math.min(warmUpSteps, Math.floor(steps / 2)),
    steps,
  });
  const trainer = await Trainer.create(device, network, {
    batchSize: batch.identitiesPerBatch * batch.picturesPerIdentity,
    loss: "supervised-contrastive",
    optimizer: adam({ learningRate }),
  });
  const compiled = performance.now();

  const sampler = perClass(labelsOf(people), { ...batch, seed });
  const stream = classBatches(new DecodedImages(people, imageSize), sampler);
  const progress = new Progress(steps, 0);
  const losses: number[] = [];
  const running = new StepsInFlight(trainer, ({ loss, step }) => {
    losses.push(loss);
    progress.update(step, loss);
  });
  try {
    for (let step = 0; step < steps; step++) await running.step((await stream.next()).value);
    await running.drain();
  } finally {
    progress.stop();
  }
  const trained = performance.now();

  const model = await trainer.save();
  // After saving, because a profiled step also trains.
  const kernels = device.gpu.features.has("timestamp-query")
    ? byKernel(await trainer.profile((await stream.next()).value))
    : null;
  const launches = (await trainer.launches()).length;
  const { total: bytes } = await trainer.memory();
  await trainer.dispose();
  const seconds = { compile: (compiled - started) / 1000, train: (trained - compiled) / 1000 };
  return { losses, batch, stepsPerSecond: steps / seconds.train, model, launches, bytes, kernels, seconds };
}

function byKernel(timings: { kernel: string; nanoseconds: number }[]) {
  const sums = new Map<string, { launches: number; nanoseconds: number }>();
  for (const { kernel, nanoseconds } of timings) {
    const sum = sums.get(kernel) ?? { launches: 0, nanoseconds: 0 };
    sums.set(kernel, { launches: sum.launches + 1, nanoseconds: sum.nanoseconds + nanoseconds });
  }
  return [...sums].map(([kernel, sum]) => ({ kernel, ...sum })).sort((a, b) => b.nanoseconds - a.nanoseconds);
}
