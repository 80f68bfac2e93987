// A training small enough to be lost and begun again in a test, the same on every host.

import { siamese, type Trainer } from "../../src/index.ts";
import { uniform } from "../random.ts";

// Small: each loss compiles its kernels anew.
const SIZE = 8 * 8;
export const network = () => siamese({ imageSize: [8, 8, 1], filters: [3], embedding: 5, seed: 2 });

export function pairs(seed: number) {
  const random = uniform(seed);
  const pictures = () => Uint8Array.from({ length: 3 * SIZE }, () => Math.floor(random() * 256));
  return { left: pictures(), right: pictures(), leftLabels: [0, 1, 2], rightLabels: [0, 0, 2] };
}

/** Twenty steps in flight by fours; what is done to the trainer before step n is told by `before`. */
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
