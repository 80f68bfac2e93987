// Three steps of a small network: the same program in a page, a worker and Node.
import { adam, type Device, type RecoveryOptions, siamese, Trainer } from "twingrad";

const size = 16;

export const small = (device: Device, recovery: RecoveryOptions | false = {}): Promise<Trainer> => {
  const network = siamese({ imageSize: [size, size, 1], filters: [4], embedding: 8, seed: 1 });
  return Trainer.create(device, network, { batchSize: 4, optimizer: adam({ learningRate: 0.01 }), recovery });
};

/** Four pairs, of one identity and of two in turn. */
export function pairs(step: number) {
  const pictures = (of: number) =>
    Uint8Array.from({ length: 4 * size * size }, (_, i) => (step * 31 + of * 17 + i * 7) % 256);
  return { left: pictures(1), right: pictures(2), leftLabels: [0, 1, 2, 3], rightLabels: [0, 2, 2, 1] };
}

/** The loss of each step. */
export async function train(device: Device): Promise<number[]> {
  const trainer = await small(device);
  const losses: number[] = [];
  for (let step = 1; step <= 3; step++) losses.push((await trainer.step(pairs(step))).loss);
  await trainer.dispose();
  return losses;
}
