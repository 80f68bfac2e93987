// The steps of a run: batches in, steps in flight, and a checkpoint from which the rest would be the same, bit for bit.
import type { Batch, Saver, Trainer } from "../../index.ts";
import { exhausted, nothingSelected, StepsInFlight, select, withMetadata } from "../../internal.ts";

import type { Progress } from "../progress.ts";
import type { TrainingLog } from "./log/log.ts";
import { progressMetadata, type RunProgress, runMetadata, type TrainingRecord } from "./runRecord.ts";

export interface LoopParts {
  readonly trainer: Trainer;
  readonly stream: {
    next(): Promise<{ value: Batch & { readonly epoch: number } }>;
    /** Where it stands after the batches handed out so far. */
    state(): unknown;
  };
  readonly record: TrainingRecord;
  /** Of the checkpoints, and not of the state at the end. */
  readonly identity: Record<string, string>;
  /** Called before the first step is taken. */
  readonly beforeSteps: () => Promise<void>;
  /** Of the run that is gone on with. */
  readonly begun?: RunProgress;
  readonly saver: Saver;
  readonly log: TrainingLog;
  /** Of each step, counted from 1. */
  readonly learningRate: (step: number) => number;
  /** Evaluates a checkpoint on people held out. */
  readonly evaluate?: (bytes: Uint8Array) => Promise<{ loss: number; auc: number; eer: number }>;
  /** Ends the run after the steps under way, with a checkpoint. */
  readonly signal?: AbortSignal;
}

export interface LoopResult extends RunProgress {
  /** It ended because nothing became better, before its last step. */
  stoppedEarly: boolean;
  /** Steps that this run took, those of the run before left out. */
  taken: number;
  stepsPerSecond: number;
  /** Share of the time, from the first step's start, in which the next step's pictures were waited for. */
  waitingForData: number;
  /** Of a checkpoint of the state at the end. */
  metadata: Record<string, string>;
}

export async function trainingLoop(parts: LoopParts, progress: Progress): Promise<LoopResult> {
  const { trainer, stream, record, identity, beforeSteps, saver, log, learningRate, evaluate, signal } = parts;
  const { steps: lastStep = Number.POSITIVE_INFINITY, epochs: lastEpoch = Number.POSITIVE_INFINITY } = record.settings;
  const state: RunProgress = {
    ...(parts.begun ?? { epochs: 0, firstLoss: null, lastLoss: null, selection: nothingSelected }),
  };
  let { selection } = state;
  const before = trainer.steps;
  let position = stream.state();
  let sinceSave: number[] = [];
  const pace = new Pace();
  const kernels = trainer.device.tuner.used(); // those of the step: it is compiled, and nothing else yet
  const epochOf = new Map<number, number>();

  const running = new StepsInFlight(trainer, ({ loss, step }) => {
    state.firstLoss ??= loss;
    state.lastLoss = loss;
    sinceSave.push(loss);
    pace.settled();
    progress.update(step, loss);
    log.write({ step, epoch: epochOf.get(step)!, loss, learningRate: learningRate(step) });
    epochOf.delete(step);
  });

  async function save({ evaluated = true } = {}): Promise<void> {
    await running.drain();
    if (saver.saved === trainer.steps) return;
    const resume = pace.pause();
    const { steps } = trainer;
    let bytes = await trainer.save({
      ...runMetadata(record, { stream: position, progress: state, kernels }),
      ...identity,
    });
    const loss = sinceSave.length > 0 ? sinceSave.reduce((sum, value) => sum + value, 0) / sinceSave.length : undefined;
    let auc: number | undefined;
    if (evaluated && evaluate) {
      const validation = await evaluate(bytes);
      log.write({ step: steps, epoch: state.epochs, validation });
      selection = select(state.selection, steps, validation.auc);
      // An evaluation that is not in its turn, as at the end, an unbroken longer run would not have: nothing remembers it.
      if (steps % record.settings.checkpointEvery === 0) {
        state.selection = selection;
        auc = validation.auc;
        bytes = await withMetadata(bytes, progressMetadata(state));
      }
    }
    await log.flush(); // the table must not lack steps that the checkpoint has
    if (await saver.save(bytes, steps, loss, auc)) sinceSave = [];
    resume();
  }

  let ended = false;
  const stopped = () => exhausted(state.selection, record.settings.patience);
  if (before === 0) await save({ evaluated: false }); // a folder that cannot be written to shows now, not in an hour
  for (let step = before; step < lastStep && !signal?.aborted && !stopped(); step++) {
    const { value: batch } = await pace.waited(stream.next()).catch(async (error) => {
      await save({ evaluated: false }); // a picture that cannot be read does not cost the steps before it
      throw error;
    });
    if (batch.epoch >= lastEpoch) {
      state.epochs = lastEpoch;
      ended = true;
      break;
    }
    position = stream.state();
    state.epochs = batch.epoch;
    epochOf.set(step + 1, batch.epoch);
    if (step === before) await beforeSteps();
    await running.step(batch);
    if (step + 1 < lastStep && saver.due(step + 1)) await save();
  }
  await running.drain();
  if (trainer.steps > before) await save({ evaluated: !signal?.aborted });
  const metadata = runMetadata(record, { stream: position, progress: state, kernels });
  const stoppedEarly = stopped() && !ended && trainer.steps < lastStep;
  return { ...state, selection, stoppedEarly, taken: trainer.steps - before, ...pace.result(), metadata };
}

/** Steps a second and the share of waiting, of the time that steps took alone. */
class Pace {
  #steps = 0;
  #first = 0;
  readonly #begun = performance.now();
  #pausedBefore = 0;
  #paused = 0;
  #waited = 0;

  settled(): void {
    if (this.#steps++ === 0) this.#first = performance.now();
  }

  /** Counts the time until the promise settles as waiting for data. */
  async waited<T>(promise: Promise<T>): Promise<T> {
    const since = performance.now();
    try {
      return await promise;
    } finally {
      this.#waited += performance.now() - since;
    }
  }

  /** The clock stands still until the returned function is called. */
  pause(): () => void {
    const since = performance.now();
    return () => {
      const paused = performance.now() - since;
      if (this.#steps > 0) this.#paused += paused;
      else this.#pausedBefore += paused;
    };
  }

  result(): Pick<LoopResult, "stepsPerSecond" | "waitingForData"> {
    const now = performance.now();
    // The first step waits for whatever the driver still prepares: it is no part of the pace, unless it is all there is.
    const [steps, since] = this.#steps > 1 ? [this.#steps - 1, this.#first] : [this.#steps, this.#begun];
    return {
      stepsPerSecond: steps / ((now - since - this.#paused) / 1000),
      waitingForData: this.#waited / (now - this.#begun - this.#paused - this.#pausedBefore),
    };
  }
}
