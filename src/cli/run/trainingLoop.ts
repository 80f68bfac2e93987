// The steps of a run: batches in, steps in flight, and a checkpoint from which the rest would be the same, bit for bit.
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
  /** The processes that train together. They take the same steps and come to their checkpoints after the same ones. */
  readonly ranks?: Ranks;
}

export interface LoopResult extends RunProgress {
  /** It ended because nothing became better, before its last step. */
  stoppedEarly: boolean;
  /** Steps that this run took, those of the run before left out. */
  taken: number;
  stepsPerSecond: number;
  /** Share of the time, from the first step's start, in which the next step's pictures were waited for. */
  waitingForData: number;
  /** Share of the time in which ranks exchanged what they computed; 0 for one process. */
  communication: number;
  /** Whether the user asked for the end. */
  interrupted: boolean;
  /** Of a checkpoint of the state at the end. */
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

  const { distribution } = trainer;
  const exchanged = distribution?.seconds ?? 0;
  let synchronized = -1;

  /** A checkpoint, by rank 0 where there are several; all of them come here after the same step. */
  async function save(options: { evaluated?: boolean } = {}): Promise<void> {
    await running.drain();
    const last = ranks ? synchronized : saver.saved;
    if (last === trainer.steps) return;
    synchronized = trainer.steps;
    await distribution?.synchronize();
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
      // An evaluation that is not in its turn, as at the end, an unbroken longer run would not have: nothing remembers it.
      if (steps % record.settings.checkpointEvery === 0) {
        state.selection = selection;
        auc = validation.auc;
        bytes = await withMetadata(bytes, progressMetadata(state));
      }
    }
    await log.flush(); // the table must not lack steps that the checkpoint has
    if (await saver.save(bytes, steps, loss, auc)) sinceSave = [];
  }

  // A save that failed is tried again with the next one: ranks that wait for each other cannot follow a clock.
  const due = (step: number) => (ranks ? step % record.settings.checkpointEvery === 0 : saver.due(step));
  let aborted = false;
  /** Whether the user asked any of the ranks to end. Those that step alone agree where they meet anyway. */
  const isAborted = async (step: number) => {
    const meets = step % (distribution?.syncEvery ?? 1) === 0;
    if (!ranks) aborted = signal?.aborted === true;
    else if (!aborted && meets) aborted = await ranks.any(signal?.aborted === true);
    return aborted;
  };
  let measured = { seconds: 0, exchanging: 0 };
  /** Chooses how often to exchange, once enough steps were taken to tell what it costs. */
  async function choose(together: Ranks, taken: number): Promise<void> {
    if (taken !== preparingSteps && taken !== preparingSteps + measuredSteps) return;
    await running.drain();
    const now = { seconds: performance.now() / 1000, exchanging: distribution!.seconds };
    if (taken > preparingSteps) {
      const chosen = await together.share(() =>
        chooseSync(now.exchanging - measured.exchanging, now.seconds - measured.seconds),
      );
      distribution!.syncEvery = chosen;
      record.settings.syncEvery = chosen;
      progress.above(() => note(`--sync-every ${chosen}: chosen by what exchanging took of ${measuredSteps} steps`));
    }
    measured = now;
  }

  let ended = false;
  const stopped = () => exhausted(state.selection, record.settings.patience);
  if (before === 0) await save({ evaluated: false }); // a folder that cannot be written to shows now, not in an hour
  for (let step = before; step < lastStep && !(await isAborted(step)) && !stopped(); step++) {
    const { value: batch } = await pace.waited(stream.next()).catch(async (error) => {
      if (!ranks) await save({ evaluated: false }); // a picture that cannot be read does not cost the steps before it
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

  result(): Pick<LoopResult, "stepsPerSecond" | "waitingForData"> & { seconds: number } {
    const now = performance.now();
    // The first step waits for whatever the driver still prepares: it is no part of the pace, unless it is all there is.
    const [steps, since] = this.#steps > 1 ? [this.#steps - 1, this.#first] : [this.#steps, this.#begun];
    const seconds = (now - this.#begun - this.#paused - this.#pausedBefore) / 1000;
    return {
      seconds,
      stepsPerSecond: steps / ((now - since - this.#paused) / 1000),
      waitingForData: this.#waited / (1000 * seconds),
    };
  }
}
