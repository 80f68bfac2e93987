// A long training in segments, with an evaluation and a checkpoint in each: what it holds on the device must not grow.

import { type Device, Trainer } from "../../src/index.ts";
import { countCalls, objectsMade } from "../gpu/calls.ts";
import { network, pairs } from "../gpu/smallRun.ts";

export interface Segment {
  step: number;
  /** On the device, when the segment is done. */
  buffers: number;
  bytes: number;
  /** Objects made in the segment that live as long as they are held, by kind. */
  made: Record<string, number>;
}

/** How often the trainer copies its state, in what changes it: once a segment, which is fifty steps and a loaded checkpoint. */
const every = 51;

/** Half a segment first, so that each measurement is as far from the last copy as the others: half a log is held at each. */
export function segmentsOf(steps: number): number[] {
  const segments = [25];
  for (let left = steps - 25; left > 0; left -= 50) segments.push(Math.min(50, left));
  return segments;
}

export class Soak {
  private constructor(
    private readonly device: Device,
    private readonly trainer: Trainer,
  ) {}

  static async open(device: Device): Promise<Soak> {
    return new Soak(device, await Trainer.create(device, network(), { batchSize: 3, recovery: { every } }));
  }

  /** `steps` steps, an evaluation, a checkpoint, and the checkpoint loaded again. */
  async segment(steps: number): Promise<Segment> {
    const { device, trainer } = this;
    const calls = await countCalls(device, async () => {
      const waiting: Promise<unknown>[] = [];
      for (let n = 0; n < steps; n++) {
        waiting.push(trainer.step(pairs(n % 50)));
        if (waiting.length > 4) await waiting.shift();
      }
      await Promise.all(waiting);
      const embed = await trainer.embedder();
      await embed(pairs(1).left);
      await trainer.load(await trainer.save());
    });
    // Buffers are counted as they live: reading back makes and releases some.
    const made = Object.fromEntries(objectsMade(calls).filter(([name]) => name !== "createBuffer"));
    await device.gpu.queue.onSubmittedWorkDone();
    await new Promise((resolve) => setTimeout(resolve, 100)); // buffers of the last readback are released by then
    return { step: trainer.steps, ...device.live(), made };
  }
}

/** The first segment makes what there is to make; what later ones have made or kept is a leak, told in words. */
export function leaks([first, ...later]: readonly Segment[]): string[] {
  return later.flatMap(({ step, buffers, bytes, made }) => [
    ...(buffers === first.buffers && bytes === first.bytes
      ? []
      : [
          `at step ${step} ${buffers} buffers of ${bytes} bytes live, ${first.buffers} of ${first.bytes} at step ${first.step}`,
        ]),
    ...Object.entries(made).map(([name, count]) => `before step ${step}: ${count} times ${name}`),
  ]);
}
