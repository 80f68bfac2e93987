// A training small enough to be lost and restarted in a test, the same on every host.

import { siamese, type Trainer } from "../../src/index.ts";
import { uniform } from "../random.ts";

// Small: each loss compiles its kernels anew.
const SIZE = 8 * 8;
export const network = () => siamese({ imageSize: [8, 8, 1], filters: [3], embedding: 5, seed: 2 });

/** Batches with even seeds are stacked, as from the data stream: the trainer does not copy those. */
export function pairs(seed: number) {
  const random = uniform(seed);
  const stacked = Uint8Array.from({ length: 6 * SIZE }, () => Math.floor(random() * 256));
  const [left, right] = [stacked.subarray(0, 3 * SIZE), stacked.subarray(3 * SIZE)];
  const labels = { leftLabels: [0, 1, 2], rightLabels: [0, 0, 2] };
  return seed % 2 === 0 ? { left, right, ...labels, stacked } : { left, right, ...labels };
}

/** Twenty steps, four in flight; `before` is called before each step n. */
export async function run(trainer: Trainer, before: (step: number) => unknown) {
  const losses: number[] = [];
  const waiting: Promise<{ loss: number }>[] = [];
  const settle = async () => losses.push((await waiting.shift()!).loss);
  for (let step = 1; step <= 20; step++) {
    await before(step);
    waiting.push(trainer.step(pairs(step)));
    if (waiting.length > 4) await settle();
  }
  while (waiting.length > 0) await settle();
  return losses;
}
