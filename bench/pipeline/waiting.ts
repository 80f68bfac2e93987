// Measures how long training steps wait for their batches: the share of a run's time between requesting a batch and
// getting it. As in `twingrad train`, the first pictures are decoded while the network is compiled.
import { availableParallelism } from "node:os";
import { batches } from "../../src/data/batches.ts";
import { type Dataset, labelsOf } from "../../src/data/dataset.ts";
import { DecodedImages } from "../../src/data/decodedImages.ts";
import type { ImageSize } from "../../src/data/imageSize.ts";
import { balancedPairs } from "../../src/data/sampling/balanced.ts";
import type { Device } from "../../src/gpu/device.ts";
import { siamese } from "../../src/nn/siamese.ts";
import { StepsInFlight } from "../../src/train/stepsInFlight.ts";
import { Trainer } from "../../src/train/trainer.ts";
import { median } from "../median.ts";

/** A small network for some hundred pictures: its steps are short, so that a slow stream shows. */
const imageSize: ImageSize = [56, 46, 1];
const network = { filters: [8, 16, 16, 16], embedding: 64 };
const batchSize = 16;
const epochs = 2;

export interface Waiting {
  /** Milliseconds from the start of decoding to the compiled step; not part of the run's time. */
  readonly compiling: number;
  /** Waiting time / total time of the run, whose first epoch decodes every picture; the median over the rounds. */
  readonly share: number;
  /** The share in each round. */
  readonly shares: readonly number[];
  /** The share in the epochs after the first, from the cache. */
  readonly laterShare: number;
  readonly millisecondsPerStep: number;
  /**
   * Milliseconds that the first step waited for decoding after compilation; the median over the rounds.
   */
  readonly firstWait: number;
  /** The longest wait of any step, including the first. */
  readonly longestWait: number;
  readonly steps: number;
  /** Pairs per second of the stream alone: when decoding each picture, and from the cache. */
  readonly pairsPerSecond: { readonly decoding: number; readonly cached: number };
  /** Pictures decoded in a round, and pictures used: the others come from the cache. */
  readonly decoded: number;
  readonly shown: number;
  readonly threads: number;
}

/**
 * @param openDevice a device for each round: one that has compiled this network before would leave no time to decode
 * ahead.
 */
export async function measureWaiting(
  openDevice: () => Promise<Device>,
  dataset: Dataset,
  rounds: number,
): Promise<Waiting> {
  const labels = labelsOf(dataset);
  const open = (maximumBytes?: number) => {
    const images = new DecodedImages(dataset, imageSize, { maximumBytes });
    return { images, stream: batches(images, balancedPairs(labels, { seed: 1 }), { batchSize }) };
  };

  const runs = [];
  for (let round = 0; round < rounds; round++) {
    const device = await openDevice();
    try {
      const opened = open();
      const begun = performance.now();
      opened.stream.begin();
      const trainer = await Trainer.create(device, siamese({ imageSize, ...network, seed: 1 }), { batchSize });
      const compiling = performance.now() - begun;
      runs.push({ compiling, ...(await run(trainer, opened, Math.floor(labels.length / batchSize))) });
      await trainer.dispose();
    } finally {
      device.dispose();
    }
  }
  const [{ waits, decoded }] = runs;
  return {
    compiling: median(runs.map((r) => r.compiling)),
    share: median(runs.map(({ share }) => share)),
    shares: runs.map(({ share }) => share),
    laterShare: median(runs.map(({ laterShare }) => laterShare)),
    millisecondsPerStep: median(runs.map(({ total }) => total / waits.length)),
    firstWait: median(runs.map((r) => r.waits[0])),
    longestWait: Math.max(...runs.flatMap((r) => r.waits)),
    steps: waits.length,
    pairsPerSecond: {
      decoding: await pace(open(0).stream, 40),
      cached: await pace(await filled(open()), 200),
    },
    decoded,
    shown: 2 * waits.length * batchSize,
    threads: Math.min(Number(process.env.UV_THREADPOOL_SIZE ?? 4), availableParallelism()),
  };
}

type Opened = { images: DecodedImages; stream: ReturnType<typeof batches> };

async function run(trainer: Trainer, { images, stream }: Opened, stepsPerEpoch: number) {
  const running = new StepsInFlight(trainer, () => undefined);
  const waits: number[] = [];
  const begun = performance.now();
  let later = begun;
  for (let step = 0; step < epochs * stepsPerEpoch; step++) {
    if (step === stepsPerEpoch) later = performance.now();
    const asked = performance.now();
    const { value } = await stream.next();
    waits.push(performance.now() - asked);
    await running.step(value);
  }
  await running.drain();
  const ended = performance.now();
  const sum = (values: readonly number[]) => values.reduce((a, b) => a + b, 0);
  return {
    waits,
    total: ended - begun,
    share: sum(waits) / (ended - begun),
    laterShare: sum(waits.slice(stepsPerEpoch)) / (ended - later),
    decoded: images.counts.decoded,
  };
}

/** Pairs per second without a slow consumer. */
async function pace(stream: Opened["stream"], count: number): Promise<number> {
  await stream.next();
  const begun = performance.now();
  for (let batch = 0; batch < count; batch++) await stream.next();
  return (count * batchSize) / ((performance.now() - begun) / 1000);
}

async function filled({ images, stream }: Opened): Promise<Opened["stream"]> {
  await Promise.all(images.dataset.items.map((_, index) => images.get(index)));
  return stream;
}
