// The tape's interface to an optimizer, so that `optim` depends on the tape and not the other way round.
import type { Node } from "./graph.ts";
import type { Lowering } from "./lower.ts";
import type { Storage } from "./lowering/storage.ts";
import type { Arena } from "./parameters.ts";
import type { Tape } from "./tape.ts";
import type { Tensor } from "./tensor.ts";

/** One arena of parameters as storages of equal layout, updated by one launch. */
export interface ArenaStorages {
  readonly elements: number;
  readonly values: Storage;
  readonly gradients: Storage;
  /**
   * Two floats per 64 elements: the L2 penalty's factor, zero without a penalty, and the number of the elements that
   * belong to a parameter. The penalty's gradient is factor * value, and the optimizer adds it to `gradients`.
   */
  readonly blocks: Storage;
  /** One float: the optimizer multiplies the sum by it to clip the global norm; 1 without clipping. */
  readonly clip: Storage;
  /** One word: if a gradient is not finite, the optimizer writes the bits of the schedule's third float to it. */
  readonly fault: Storage;
  /** The optimizer's buffer with that name: kept between steps, zero at first. */
  state(name: string): Storage;
}

/** The additional stages of a program with an optimizer. */
export interface TrainingStage {
  readonly nodes: readonly Node[];
  /** The loss without the terms that the optimizer applies. */
  readonly loss: Tensor;
  /** The tensors that the update reads. */
  readonly asked: readonly Tensor[];
  /**
   * Launches the update after the graph; returns the loss to report, the arenas with their gradients, and the fault's
   * storage.
   */
  lower(to: Lowering): { loss: Tensor; arenas: Arena[]; gradients: Storage[]; schedule: Storage; fault: Storage };
}

/** An update rule: `adam`, `adamW` or `sgd` make one. */
export interface Optimizer {
  /** Saved in checkpoints: a checkpoint with another optimizer's state is refused. */
  readonly name: string;
  /** The names of its states per parameter that are kept between steps, for `ArenaStorages.state`. */
  readonly states: readonly string[];
  /** The largest allowed norm of all gradients together, L2 penalties included; larger gradients are scaled down. */
  readonly clipNorm?: number;
  /**
   * Begins a step that trains: `training` of lowering/update.ts. It belongs to the optimizer, so that pages without an
   * optimizer do not download it.
   * @internal
   */
  readonly training: (tape: Tape, loss: Tensor, optimizer: Optimizer) => TrainingStage;
  /**
   * Appends the update, which reads `schedule`: 4 floats that the host writes before each step.
   * @internal
   */
  record(to: Lowering, arena: ArenaStorages, schedule: Storage): void;
  /**
   * The first two and the fourth float (0 by default) of `schedule` for this step, counted from 1. The program sets the
   * third.
   * @internal
   */
  schedule(step: number): readonly [number, number, number?];
}
