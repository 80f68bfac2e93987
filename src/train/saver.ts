// When to save, and how to handle a failed save: a full disk must not end hours of training.
import { TwingradError } from "../errors.ts";
import { checkOptions } from "../options.ts";
import type { Checkpoints } from "./checkpoints.ts";

/** Options of `Saver`. */
export interface SaverOptions {
  /** Steps between checkpoints. */
  readonly every: number;
  /** Seconds from a failed save to the next attempt. @default 30 */
  readonly retrySeconds?: number;
  /** Called for a failed save, and for the first successful one after it. */
  readonly warn: (text: string) => void;
}

/**
 * Saves a checkpoint every `every` steps; if a save fails, training continues.
 * @example
 * ```ts
 * import { diskFolder } from "twingrad/node";
 *
 * const saver = new Saver(new Checkpoints(diskFolder("model/checkpoints")), { every: 500, warn: console.warn });
 * if (saver.due(trainer.steps)) await saver.save(await trainer.save(), trainer.steps);
 * ```
 */
export class Saver {
  /** The step of the newest checkpoint that this saver wrote. */
  saved?: number;
  private failedAt?: number;

  constructor(
    /** The checkpoints that it saves to. */
    readonly checkpoints: Checkpoints,
    private readonly options: SaverOptions,
  ) {
    checkOptions("Saver", options, { every: 1, retrySeconds: "number", warn: "function" });
    const { every } = options;
    if (!Number.isInteger(every) || every < 1)
      throw new TwingradError("BAD_INPUT", `Saver: every is ${every}; expected an integer of at least 1, in steps.`);
  }

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
        `the checkpoint of step ${step} is not saved (${(error as Error).message}); ${last}; training continues and tries again in ${retrySeconds} s`,
      );
      return false;
    }
    if (this.failedAt !== undefined) warn(`the checkpoint of step ${step} is saved: saving works again`);
    this.failedAt = undefined;
    this.saved = step;
    return true;
  }
}
