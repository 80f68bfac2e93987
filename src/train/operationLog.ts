// Records the operations on a training's state since its last copy to host memory, in order, so that they can be
// replayed.
import { DeviceLostError } from "../errors.ts";
import type { Session } from "./session.ts";
import { type Snapshot, takeSnapshot } from "./snapshot.ts";

/**
 * An operation in two stages: the promise settles when all of its work is submitted, `result` when the work is done. It
 * may be called again, with another session.
 */
export type Operation<T> = (session: Session) => Promise<{ result: Promise<T> }>;

/** The state is copied early after this many bytes of batches. */
const mostBytes = 256 * 2 ** 20;

/** The part of a step's result that replay compares. Other operations have no result. */
interface StepValue {
  readonly step?: number;
  readonly loss?: number;
  readonly finite?: boolean;
}

export interface EntryOptions {
  /** The bytes that the operation holds until a kept state includes it. */
  readonly bytes: number;
  /** Whether it replaces the whole state. */
  readonly replaces?: boolean;
}

class Entry {
  /** Settles once, however often the operation runs. */
  readonly done: Promise<unknown>;
  readonly bytes: number;
  readonly replaces: boolean;
  value: StepValue | undefined;
  settled = false;
  reject!: (reason: unknown) => void;
  private resolve!: (value: unknown) => void;
  private readonly operation: Operation<unknown>;
  private readonly log: OperationLog;

  constructor(log: OperationLog, operation: Operation<unknown>, { bytes, replaces = false }: EntryOptions) {
    this.log = log;
    this.operation = operation;
    this.bytes = bytes;
    this.replaces = replaces;
    this.done = new Promise((resolve, reject) => {
      this.resolve = resolve;
      this.reject = (reason) => {
        this.settled = true;
        reject(reason);
      };
    });
    this.done.catch(() => undefined); // the caller handles the rejection
  }

  /** Resolves when all is submitted. If the device is lost, the entry stays in the log, to be replayed. */
  async start(session: Session, lost: (error: unknown) => boolean): Promise<void> {
    try {
      const { result } = await this.operation(session);
      result.then(
        (value) => this.settle(value as StepValue | undefined),
        (error) => lost(error) || this.reject(error),
      );
    } catch (error) {
      if (lost(error)) return;
      this.log.remove(this); // it changed no state
      this.reject(error);
    }
  }

  /** Replays the operation to its end. False if its loss differs. */
  async again(session: Session): Promise<boolean> {
    const before = this.value;
    const { result } = await this.operation(session);
    const value = (await result) as StepValue | undefined;
    this.settle(value);
    return before === undefined || Object.is(before.loss, value?.loss);
  }

  private settle(value: StepValue | undefined): void {
    if (this.settled) return;
    this.settled = true;
    this.value = value ?? {};
    this.log.onProgress();
    this.resolve(value);
  }
}

export class OperationLog {
  /** The last kept state; undefined if it is the initial one. */
  base: Snapshot | undefined;
  private entries: Entry[] = [];
  readonly onProgress: () => void;
  private readonly every: number;
  private count = 0;
  private bytes = 0;
  private copying = false;

  /** @param onProgress is called when an operation completes for the first time. */
  constructor(every: number, onProgress: () => void) {
    this.every = every;
    this.onProgress = onProgress;
  }

  entry(operation: Operation<unknown>, options: EntryOptions): Entry {
    return new Entry(this, operation, options);
  }

  add(entry: Entry): void {
    this.entries.push(entry);
    this.count++;
    this.bytes += entry.bytes;
  }

  remove(entry: Entry): void {
    this.entries = this.entries.filter((other) => other !== entry);
  }

  /** Whether it is time to keep a state. */
  get due(): boolean {
    return !this.copying && (this.count >= this.every || this.bytes >= mostBytes);
  }

  /**
   * Copies the state after the operations submitted so far and, once they are done, starts a new log from it. Skipped
   * if a step was not finite: such a state is useless. `valid` tells whether the session is still in use.
   */
  async keepState(session: Session, valid: () => boolean): Promise<void> {
    const included = [...this.entries];
    this.copying = true;
    this.count = 0;
    this.bytes = 0;
    try {
      const snapshot = await takeSnapshot(session.store);
      await Promise.allSettled(included.map(({ done }) => done));
      const since = included.slice(included.findLastIndex(({ replaces }) => replaces) + 1);
      if (!valid() || since.some(({ value }) => value?.finite === false)) return;
      this.base = snapshot;
      this.entries = this.entries.filter((entry) => !included.includes(entry));
    } finally {
      this.copying = false;
    }
  }

  /** The kept state and the operations from there to this step; undefined if the step is not in the log. */
  before(step: number): { base: Snapshot | undefined; entries: Entry[] } | undefined {
    const at = this.entries.findIndex(({ value }) => value?.step === step);
    return at < 0 ? undefined : { base: this.base, entries: this.entries.slice(0, at) };
  }

  /** Replays everything. False if a loss differs. */
  async replay(session: Session): Promise<boolean> {
    let exact = true;
    for (const entry of [...this.entries]) {
      try {
        if (!(await entry.again(session))) exact = false;
      } catch (error) {
        if (error instanceof DeviceLostError || entry.settled) throw error;
        this.remove(entry);
        entry.reject(error);
      }
    }
    return exact;
  }

  rejectAll(reason: unknown): void {
    for (const entry of this.entries) if (!entry.settled) entry.reject(reason);
  }
}
