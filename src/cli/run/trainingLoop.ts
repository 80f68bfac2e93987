// The training loop: batches, steps in flight, and checkpoints that resume bit for bit.
import type { Batch, Saver, Trainer } from "../../index.ts";
import { exhausted, nothingSelected, StepsInFlight, select, withMetadata } from "../../internal.ts";

import { note } from "../outcome.ts";
import type { Progress } from "../progress.ts";
import type { TrainingLog } from "./log/log.ts";
import type { Ranks } from "./ranks.ts";
import { progressMetadata, type RunProgress, runMetadata, type TrainingRecord } from "./runRecord.ts";
import { chooseSync, measuredSteps, preparingSteps } from "./syncChoice.ts";

export interface LoopParts {
  readonly trainer: Trainer;
  readonly stream: {
    next(): Promise<{ value: Batch & { readonly epoch: number } }>;
    /** The stream's state after the batches returned so far. */
    state(): unknown;
  };
  readonly record: TrainingRecord;
  /** Metadata of checkpoints only, not of the final state. */
  readonly identity: Record<string, string>;
  /** Called before the first step. */
  readonly beforeSteps: () => Promise<void>;
  /** The progress of a resumed run. */
  readonly begun?: RunProgress;
  readonly saver: Saver;
  readonly log: TrainingLog;
  /** The learning rate of each step, counted from 1. */
  readonly learningRate: (step: number) => number;
  /** Evaluates a checkpoint on held-out identities. */
  readonly evaluate?: (bytes: Uint8Array) => Promise<{ loss: number; auc: number; eer: number }>;
  /** Ends the run after the steps in flight, with a checkpoint. */
  readonly signal?: AbortSignal;
  /** The ranks of a distributed run; all of them save after the same steps. */
  readonly ranks?: Ranks;
}

export interface LoopResult extends RunProgress {
  /** Whether early stopping ended the run before its last step. */
  stoppedEarly: boolean;
  /** Steps of this process, without those before a resume. */
  taken: number;
  stepsPerSecond: number;
  /** Share of the time, from the first step's start, spent waiting for data. */
  waitingForData: number;
  /** The share of the time that this rank waited for exchanges; 0 for one process. */
  communication: number;
  /** Whether the user interrupted the run. */
  interrupted: boolean;
  /** Metadata of the final state. */
  metadata: Record<string, string>;
}

export async function trainingLoop(parts: LoopParts, progress: Progress): Promise<LoopResult> {
  const { trainer, stream, record, identity, beforeSteps, saver, log, learningRate, evaluate, signal, ranks } = parts;
  const { steps: lastStep = Number.POSITIVE_INFINITY, epochs: lastEpoch = Number.POSITIVE_INFINITY } = record.settings;
  const state: RunProgress = {
    ...(parts.begun ?? { epochs: 0, firstLoss: null, lastLoss: null, selection: nothingSelected }),
  };
  let { selection } = state;
  const before = trainer.steps;
  let position = stream.state();
  let sinceSave: number[] = [];
  const pace = new Pace();
  const kernels = trainer.device.tuner.used(); // only the training step is compiled so far
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

  const { distribution } = trainer;
  const exchanged = distribution?.seconds ?? 0;
  let synchronized = -1;

  /** Saves a checkpoint. In a distributed run rank 0 writes it, and every rank calls this after the same step. */
  async function save(options: { evaluated?: boolean } = {}): Promise<void> {
    await running.drain();
    const last = ranks ? synchronized : saver.saved;
    if (last === trainer.steps) return;
    synchronized = trainer.steps;
    await trainer.synchronize();
    const resume = pace.pause();
    if (ranks?.first ?? true) await write(options);
    if (ranks) {
      ({ selection, kept: state.selection } = await ranks.share(() => ({ selection, kept: state.selection })));
      if (!ranks.first) sinceSave = [];
    }
    resume();
  }

  async function write({ evaluated = true }: { evaluated?: boolean }): Promise<void> {
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
      // An extra evaluation, as at the end, would not exist in an uninterrupted longer run: do not record it.
      if (steps % record.settings.checkpointEvery === 0) {
        state.selection = selection;
        auc = validation.auc;
        bytes = await withMetadata(bytes, progressMetadata(state));
      }
    }
    await log.flush(); // the log must include all steps of the checkpoint
    if (await saver.save(bytes, steps, loss, auc)) sinceSave = [];
  }

  // Ranks retry a failed save only at the next checkpoint: they must all save after the same step, whatever their
  // clocks.
  const due = (step: number) => (ranks ? step % record.settings.checkpointEvery === 0 : saver.due(step));
  let aborted = false;
  let asked = Promise.resolve(false);
  /**
   * Whether the user interrupted any rank. Ranks ask each other at an exchange and read the answer at the next one, so
   * that none waits for it.
   */
  const isAborted = async (step: number) => {
    if (!ranks) aborted = signal?.aborted === true;
    else if (step % distribution!.syncEvery === 0) {
      aborted = await asked;
      asked = ranks.any(signal?.aborted === true);
      asked.catch(() => undefined); // reported where it is awaited
    }
    return aborted;
  };
  let measured = { seconds: 0, exchanging: 0 };
  /** Chooses how often to exchange, once enough steps were measured. */
  async function choose(all: Ranks, taken: number): Promise<void> {
    if (taken !== preparingSteps && taken !== preparingSteps + measuredSteps) return;
    await running.drain();
    const now = { seconds: performance.now() / 1000, exchanging: distribution!.seconds };
    if (taken > preparingSteps) {
      const chosen = await all.share(() =>
        chooseSync(now.exchanging - measured.exchanging, now.seconds - measured.seconds),
      );
      distribution!.syncEvery = chosen;
      record.settings.syncEvery = chosen;
      progress.above(() => note(`--sync-every ${chosen}: chosen from the cost of exchanges in ${measuredSteps} steps`));
    }
    measured = now;
  }

  let ended = false;
  const stopped = () => exhausted(state.selection, record.settings.patience);
  if (before === 0) await save({ evaluated: false }); // an unwritable folder fails now, not in an hour
  for (let step = before; step < lastStep && !(await isAborted(step)) && !stopped(); step++) {
    const { value: batch } = await pace.waited(stream.next()).catch(async (error) => {
      if (!ranks) await save({ evaluated: false }); // an unreadable picture does not lose the steps before it
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
    if (ranks && record.settings.syncEvery === "auto") await choose(ranks, step + 1 - before);
    if (step + 1 < lastStep && due(step + 1)) await save();
  }
  await running.drain();
  if (trainer.steps > before) await save({ evaluated: !aborted });
  const metadata = runMetadata(record, { stream: position, progress: state, kernels });
  const stoppedEarly = stopped() && !ended && trainer.steps < lastStep;
  const { seconds, ...figures } = pace.result();
  const communication = seconds > 0 ? ((distribution?.seconds ?? 0) - exchanged) / seconds : 0;
  const taken = trainer.steps - before;
  return { ...state, selection, stoppedEarly, interrupted: aborted, taken, ...figures, communication, metadata };
}

/** Steps per second and the share of waiting, without the time of pauses. */
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

  /** Stops the clock until the returned function is called. */
  pause(): () => void {
    const since = performance.now();
    return () => {
      const paused = performance.now() - since;
      if (this.#steps > 0) this.#paused += paused;
      else this.#pausedBefore += paused;
    };
  }

  result(): Pick<LoopResult, "stepsPerSecond" | "waitingForData"> & { seconds: number } {
    const now = performance.now();
    // The first step includes warmup of the driver: it is left out unless it is the only one.
    const [steps, since] = this.#steps > 1 ? [this.#steps - 1, this.#first] : [this.#steps, this.#begun];
    const seconds = (now - this.#begun - this.#paused - this.#pausedBefore) / 1000;
    return {
      seconds,
      stepsPerSecond: steps / ((now - since - this.#paused) / 1000),
      waitingForData: this.#waited / (1000 * seconds),
    };
  }
}
