// A window of steps in flight: the next step is submitted before the loss of the last one is known.
import type { Batch } from "../data/batch.ts";
import type { Trainer } from "./trainer.ts";

/** The number of steps in flight before the first result is awaited. */
const most = 4;

export class StepsInFlight {
  private readonly waiting: Promise<{ loss: number; step: number }>[] = [];

  /** `settled` receives each step's result, in order; if it throws, the run ends. */
  constructor(
    private readonly trainer: Trainer,
    private readonly settled: (result: { loss: number; step: number }) => void,
  ) {}

  async step(batch: Batch): Promise<void> {
    const running = this.trainer.step(batch);
    running.catch(() => undefined); // reported when its turn comes
    this.waiting.push(running);
    if (this.waiting.length > most) await this.settle();
  }

  /** Waits for all steps in flight. */
  async drain(): Promise<void> {
    while (this.waiting.length > 0) await this.settle();
  }

  private async settle(): Promise<void> {
    this.settled(await this.waiting.shift()!);
  }
}
