// A window of steps under way: the next step is given to the GPU before the loss of the last one is known.
import type { Batch } from "../data/batch.ts";
import type { Trainer } from "./trainer.ts";

/** Steps under way before the result of the first of them is waited for. */
const most = 4;

export class StepsInFlight {
  private readonly waiting: Promise<{ loss: number; step: number }>[] = [];

  /** `settled` gets each step's result, in order; what it throws ends the run. */
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

  /** Waits for all steps under way. */
  async drain(): Promise<void> {
    while (this.waiting.length > 0) await this.settle();
  }

  private async settle(): Promise<void> {
    this.settled(await this.waiting.shift()!);
  }
}
