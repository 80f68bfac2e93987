// The demo's training run: the article's network, scaled to what a software adapter does in two minutes.
import { balancedPairs } from "../../data/balanced.ts";
import { batches } from "../../data/batches.ts";
import { type Dataset, labelsOf } from "../../data/dataset.ts";
import { DecodedImages } from "../../data/decodedImages.ts";
import type { Device } from "../../gpu/device.ts";
import { siamese } from "../../nn/siamese.ts";
import { adam } from "../../optim/adam.ts";
import { StepsInFlight } from "../../train/inFlight.ts";
import { Trainer } from "../../train/trainer.ts";
import { Progress } from "../progress.ts";
import { faceSize } from "./faces.ts";

const filters = [8, 16, 32, 32];
const embedding = 128;
const batchSize = 24;
const highestRate = 1e-2;
/** Below the usual 0.9: a run of a few hundred steps has no time for a long memory of its first gradients. */
const beta1 = 0.8;
const l2 = 1e-4;

export const networkInWords =
  `${filters.length} blocks of conv 3x3 → max-pool 2x2 → batch-norm → ReLU with ${filters.join(", ")} filters on ` +
  `${faceSize} x ${faceSize} x 3, a sigmoid embedding of ${embedding}, |a − b|, one logit`;

export interface TrainingRun {
  losses: number[];
  batchSize: number;
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
  const network = siamese({ imageSize: [faceSize, faceSize, 3], filters, embedding, seed });
  // Half a cosine: so few steps want a high rate early and none of its noise at the end.
  const learningRate = (step: number) => (highestRate * (1 + Math.cos((Math.PI * (step - 1)) / steps))) / 2;
  const trainer = await Trainer.create(device, network, { batchSize, l2, optimizer: adam({ learningRate, beta1 }) });
  startAsDistance(trainer);
  const compiled = performance.now();

  const pairs = balancedPairs(labelsOf(people), { seed });
  const stream = batches(new DecodedImages(people, network.options.imageSize), pairs, { batchSize });
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
  // After saving: a profiled step is a step like any other.
  const kernels = device.gpu.features.has("timestamp-query")
    ? byKernel(await trainer.profile((await stream.next()).value))
    : null;
  const launches = (await trainer.launches()).length;
  const { total: bytes } = await trainer.memory();
  await trainer.dispose();
  const seconds = { compile: (compiled - started) / 1000, train: (trained - compiled) / 1000 };
  return { losses, batchSize, stepsPerSecond: steps / seconds.train, model, launches, bytes, kernels, seconds };
}

/**
 * Glorot's random head rewards some differences between two pictures and punishes others, and a short training spends
 * its first half unlearning that. This one begins as a plain distance: the further apart, the less likely one person.
 */
function startAsDistance(trainer: Trainer): void {
  const parameters = trainer.parameters();
  parameters.get("head/kernel")!.write(new Float32Array(embedding).fill(-0.3));
  parameters.get("head/bias")!.write([3]);
}

function byKernel(timings: { kernel: string; nanoseconds: number }[]) {
  const sums = new Map<string, { launches: number; nanoseconds: number }>();
  for (const { kernel, nanoseconds } of timings) {
    const sum = sums.get(kernel) ?? { launches: 0, nanoseconds: 0 };
    sums.set(kernel, { launches: sum.launches + 1, nanoseconds: sum.nanoseconds + nanoseconds });
  }
  return [...sums].map(([kernel, sum]) => ({ kernel, ...sum })).sort((a, b) => b.nanoseconds - a.nanoseconds);
}
