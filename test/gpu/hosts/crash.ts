// Entry of the bundle for a page whose GPU process is killed while it trains.

import { openDevice, type Recovered, siamese, Trainer } from "../../../src/index.ts";
import { uniform } from "../../random.ts";

export interface Trained {
  losses: number[];
  /** Steps in flight when the process was killed. */
  underWay: number[];
  recovered: Omit<Recovered, "device">[];
  /** The error that ended the training, if any. */
  failure?: { code: string; message: string };
}

declare global {
  var train: (crashAt: readonly number[], recover: boolean) => Promise<Trained>;
  /** From the test: kills the browser's GPU process. */
  var crashGpuProcess: () => Promise<void>;
}

// Large enough that four steps in flight take longer than a process takes to die.
const SIZE = 96;
const network = () => siamese({ imageSize: [SIZE, SIZE, 1], filters: [32], embedding: 5, seed: 2 });

function pairs(seed: number) {
  const random = uniform(seed);
  const pictures = () => Uint8Array.from({ length: 3 * SIZE * SIZE }, () => Math.floor(random() * 256));
  return { left: pictures(), right: pictures(), leftLabels: [0, 1, 2], rightLabels: [0, 0, 2] };
}

globalThis.train = async (crashAt, recover) => {
  const recovered: Trained["recovered"] = [];
  const trainer = await Trainer.create(await openDevice(), network(), {
    batchSize: 3,
    recovery: recover && { every: 4, onRecovery: ({ device: _, ...event }) => recovered.push(event) },
  });
  const losses: number[] = [];
  const underWay: number[] = [];
  const waiting: Promise<void>[] = [];
  try {
    for (let n = 1; n <= 16; n++) {
      const step = trainer.step(pairs(n)).then(({ loss }) => void losses.push(loss));
      step.catch(() => {}); // reported when its turn comes
      waiting.push(step);
      if (crashAt.includes(n)) {
        await globalThis.crashGpuProcess();
        underWay.push(n - losses.length);
      }
      if (waiting.length > 4) await waiting.shift();
    }
    await Promise.all(waiting);
    await trainer.save(); // comes after the last recovery
    return { losses, underWay, recovered };
  } catch (error) {
    const { code, message } = error as Error & { code: string };
    return { losses, underWay, recovered, failure: { code, message } };
  }
};
