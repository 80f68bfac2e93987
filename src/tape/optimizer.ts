// What the tape asks of an optimizer, so that `optim` can depend on the tape and not the other way round.
import type { Node } from "./graph.ts";
import type { Lowering } from "./lower.ts";
import type { Storage } from "./lowering/storage.ts";
import type { Arena } from "./parameters.ts";
import type { Tape } from "./tape.ts";
import type { Tensor } from "./tensor.ts";

/** One arena of parameters as storages of equal layout: what one launch updates. */
export interface ArenaStorages {
  readonly elements: number;
  readonly values: Storage;
  readonly gradients: Storage;
  /**
   * Two floats for each 64 elements: a factor, zero where there is none, and how many of the elements are a
   * parameter's. The gradient of the L2 penalties is factor * value, and the optimizer adds it to `gradients`.
   */
  readonly blocks: Storage;
  /** One float that the optimizer multiplies the sum with: what clips the global norm, 1 where nothing does. */
  readonly clip: Storage;
  /** One word, in which the optimizer leaves the bits of the schedule's third float where a gradient is not finite. */
  readonly fault: Storage;
  /** The optimizer's own buffer of that name: kept between steps, zero at first. */
  state(name: string): Storage;
}

/** What a program with an optimizer does besides the others. */
export interface TrainingStage {
  readonly nodes: readonly Node[];
  /** The loss without what goes into the optimizer. */
  readonly loss: Tensor;
  /** What the update reads. */
  readonly asked: readonly Tensor[];
  /**
   * Launches the update behind the graph; gives the loss to report, what was updated with which gradients, and where a fault
   * is told.
   */
  lower(to: Lowering): { loss: Tensor; arenas: Arena[]; gradients: Storage[]; schedule: Storage; fault: Storage };
}

export interface Optimizer {
  /** Saved in checkpoints: one whose state is another optimizer's is refused. */
  readonly name: string;
  /** The names of all that it keeps between steps for each parameter: what `ArenaStorages.state` is asked for. */
  readonly states: readonly string[];
  /** The most that the norm of all gradients together, those of the L2 penalties included, may be; above, they shrink. */
  readonly clipNorm?: number;
  /** Begins a step that trains: `training` of lowering/update.ts. It comes with the optimizer, so that who has none is not sent it. */
  readonly training: (tape: Tape, loss: Tensor, optimizer: Optimizer) => TrainingStage;
  /** Appends the update. The returned function gives what the host writes into `schedule` (4 floats) before each step. */
  record(to: Lowering, arena: ArenaStorages, schedule: Storage): void;
  /** The first two and the fourth float (0 by default) of the step with this number, counted from 1. The third is the program's. */
  schedule(step: number): readonly [number, number, number?];
}
