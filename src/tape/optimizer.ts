// What the tape asks of an optimizer, so that `optim` can depend on the tape and not the other way round.
import type { Tape } from "./tape.ts";
import type { Storage } from "./tensor.ts";

/** One arena of parameters as storages of equal layout: what one launch updates. */
export interface ArenaStorages {
  readonly elements: number;
  readonly values: Storage;
  readonly gradients: Storage;
  /**
   * One factor for each 64 elements, zero where there is none: the gradient of the L2 penalties is factor * value, and
   * the optimizer adds it to `gradients`.
   */
  readonly decay: Storage;
  /** The optimizer's own buffer of that name: kept between steps, zero at first. */
  state(name: string): Storage;
}

export interface Optimizer {
  readonly name: string;
  /** Appends the update. The returned function gives what the host writes into `schedule` (4 floats) before each step. */
  record(tape: Tape, arena: ArenaStorages, schedule: Storage): void;
  /** The schedule of the step with this number, counted from 1. */
  schedule(step: number): readonly [number, number, number, number];
}
