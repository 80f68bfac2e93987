// Options of all optimizers.
import { TwingradError } from "../errors.ts";
import type { Known } from "../options.ts";

export interface OptimizerOptions {
  /**
   * A number, or a function of the step, counted from 1, which makes a schedule: see `learningRateSchedule`.
   * @default 1e-3
   */
  readonly learningRate?: number | ((step: number) => number);
  /**
   * Clips the gradients by their global norm (Pascanu, Mikolov and Bengio 2013): if the norm over all gradients, L2
   * penalties included, exceeds this, all are scaled down by the same factor. No clipping by default.
   */
  readonly clipNorm?: number;
}

export const optimizerOptions: Known<OptimizerOptions> = { learningRate: 1, clipNorm: 1 };

/** The learning rate as a function of the step. @throws BAD_INPUT for invalid rates; for a schedule, at the step. */
export function rates(optimizer: string, { learningRate = 1e-3 }: OptimizerOptions): (step: number) => number {
  const checked = (rate: number) => {
    check(optimizer, "learningRate", rate, 0, Number.POSITIVE_INFINITY);
    return rate;
  };
  if (typeof learningRate === "function") return (step) => checked(learningRate(step));
  checked(learningRate);
  return () => learningRate;
}

/** @throws BAD_INPUT unless the value is within [lowest, limit). */
export function check(optimizer: string, name: string, value: number, lowest = 0, limit = 1): void {
  if (value >= lowest && value < limit) return;
  const expected = limit === 1 ? "[0, 1)" : `a number ${lowest === 0 ? "of at least" : "above"} 0`;
  throw new TwingradError("BAD_INPUT", `${optimizer}: ${name} is ${value}; expected ${expected}.`);
}

export function checkClipNorm(optimizer: string, clipNorm: number | undefined): void {
  if (clipNorm !== undefined) check(optimizer, "clipNorm", clipNorm, Number.MIN_VALUE, 3e38);
}
