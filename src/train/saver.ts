// When to save, and how to handle a failed save: a full disk must not end hours of training.
import type { Checkpoints } from "./checkpoints.ts";

export interface SaverOptions {
  /** Steps between checkpoints. */
  readonly every: number;
  /** Seconds after a failed save until the next attempt; 30 by default. */
  readonly retrySeconds?: number;
  /** Called for a failed save, and for the first successful one after it. */
  readonly warn: (text: string) => void;
}

export class Saver {
  /** The step of the newest checkpoint that this saver wrote. */
  saved?: number;
  private failedAt?: number;

  constructor(
    readonly checkpoints: Checkpoints,
    private readonly options: SaverOptions,
  ) {}

  /** Whether to save after this step: it is due, or it is time to try again. */
  due(step: number): boolean {
    const { every, retrySeconds = 30 } = this.options;
    return (
      step % every === 0 || (this.failedAt !== undefined && performance.now() - this.failedAt >= retrySeconds * 1000)
    );
  }

  /** Saves the state after `step`; returns whether that worked. */
  async save(bytes: Uint8Array, step: number, loss?: number, auc?: number): Promise<boolean> {
    const { retrySeconds = 30, warn } = this.options;
    try {
      await this.checkpoints.save(bytes, step, loss, auc);
    } catch (error) {
      this.failedAt = performance.now();
      const last = this.saved === undefined ? "no checkpoint is saved yet" : `the last one is of step ${this.saved}`;
      warn(
        `the checkpoint of step ${step} is not saved (${(error as Error).message}); ${last}; training goes on and tries again in ${retrySeconds} s`,
      );
      return false;
    }
    if (this.failedAt !== undefined) warn(`the checkpoint of step ${step} is saved: saving works again`);
    this.failedAt = undefined;
    this.saved = step;
    return true;
  }
}
