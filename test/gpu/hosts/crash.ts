// Entry of the bundle for a page whose GPU process is killed while it trains.

import { openDevice, type Recovered, siamese, Trainer } from "../../../src/index.ts";
import { uniform } from "../../random.ts";

export interface Plan {
  /** At least so many: training goes on until the process is gone, so that it is killed with steps under way. */
  steps: number;
  /** The step behind which the process is killed, if any. */
  crashAt?: number;
  recover: boolean;
}

export interface Trained {
  losses: number[];
  /** Steps whose results were still to come when the process was gone. */
  underWay?: number;
  recovered: Omit<Recovered, "device">[];
  /** Of the error that ended the training, where one did. */
  failure?: { code: string; message: string };
}

declare global {
  var train: (plan: Plan) => Promise<Trained>;
  /** From the test: kills the browser's GPU process. */
  var crashGpuProcess: () => Promise<void>;
}

// A step takes tens of milliseconds: when the process is gone, its results are still to come.
const SIZE = 96;
const network = () => siamese({ imageSize: [SIZE, SIZE, 1], filters: [32], embedding: 5, seed: 2 });

function pairs(seed: number) {
  const random = uniform(seed);
  const pictures = () => Uint8Array.from({ length: 3 * SIZE * SIZE }, () => Math.floor(random() * 256));
  return { left: pictures(), right: pictures(), leftLabels: [0, 1, 2], rightLabels: [0, 0, 2] };
}

globalThis.train = async ({ steps, crashAt, recover }) => {
  const recovered: Trained["recovered"] = [];
  const trainer = await Trainer.create(await openDevice(), network(), {
    batchSize: 3,
    recovery: recover && { every: 4, onRecovery: ({ device: _, ...event }) => recovered.push(event) },
  });
  const losses: number[] = [];
  const waiting: Promise<void>[] = [];
  let begun = 0;
  let underWay: number | undefined;
  let killing: Promise<void> | undefined;
  let killed = crashAt === undefined;
  const kill = async () => {
    try {
      await globalThis.crashGpuProcess();
      underWay = begun - losses.length;
    } finally {
      killed = true;
    }
  };
  try {
    while (begun < steps || !killed) {
      const step = trainer.step(pairs(++begun)).then(({ loss }) => void losses.push(loss));
      step.catch(() => {}); // reported when its turn comes
      waiting.push(step);
      if (begun === crashAt) killing = kill();
      if (waiting.length > 4) await waiting.shift();
    }
    await Promise.all([...waiting, killing]);
    await trainer.save(); // comes after the last recovery
    return { losses, underWay, recovered };
  } catch (error) {
    await killing;
    const { code, message } = error as Error & { code: string };
    return { losses, underWay, recovered, failure: { code, message } };
  }
};
