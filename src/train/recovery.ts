// Training outlives its device. The last state and the operations since are kept in host memory. If the device is lost,
// another is opened and takes that state, and the operations are replayed in the same order: with the same losses.

import { DeviceLostError, TwingradError } from "../errors.ts";
import type { Device } from "../gpu/device.ts";
import { type EntryOptions, type Operation, OperationLog } from "./operationLog.ts";
import { Session } from "./session.ts";
import { restoreSnapshot } from "./snapshot.ts";

/** What a trainer does if its device is lost: see `TrainerOptions.recovery`. */
export interface RecoveryOptions {
  /**
   * Steps between states kept in host memory; fewer if the batches since the last state would exceed 256 MiB.
   * @default 100
   */
  readonly every?: number;
  /**
   * Gives up when the device was lost this many times without a new step in between.
   * @default 3
   */
  readonly losses?: number;
  /** Opens a device to replace the lost one; by default with the same options. */
  readonly reopen?: () => Promise<Device>;
  /** Called after each recovery. */
  readonly onRecovery?: (recovered: Recovered) => void;
}

/** The report of a recovery. */
export interface Recovered {
  /** Why the device was lost, from the browser or driver. */
  readonly reason: string;
  /** The step of the restored state. */
  readonly from: number;
  /** The current step. */
  readonly to: number;
  /** Whether the replayed steps gave the same losses, bit for bit; another adapter may round differently. */
  readonly exact: boolean;
  /** The device that it trains on now. */
  readonly device: Device;
}

/** How long to wait for a device: a browser takes seconds to restart its GPU process. */
const openingSeconds = 30;

export class Recovery {
  session: Session;
  private readonly first: Device;
  private readonly options: RecoveryOptions | undefined;
  private readonly reopen: (() => Promise<Device>) | undefined;
  private readonly log: OperationLog;
  private readonly logs: boolean;
  /** Operations are submitted one after the other, in the order of their calls. */
  private tail: Promise<unknown> = Promise.resolve();
  private recovering: Promise<void> | undefined;
  private losses = 0;
  /** Set once no further operations are accepted. */
  private over: unknown;

  /**
   * @param options undefined if a lost device ends the training.
   * @param logs keeps the operations for `before` even then.
   */
  constructor(session: Session, options: RecoveryOptions | undefined, logs: boolean) {
    this.session = session;
    this.first = session.device;
    this.reopen = options && (options.reopen ?? session.device.reopen);
    this.logs = logs || this.reopen !== undefined;
    this.options = options;
    this.log = new OperationLog(options?.every ?? 100, () => {
      this.losses = 0; // there was progress
    });
  }

  /** Runs an operation that changes no state, after those before it; runs it again if a lost device interrupted it. */
  async ask<T>(operation: Operation<T>): Promise<T> {
    for (;;) {
      let session = this.session;
      try {
        const { result } = await this.turn(() => {
          session = this.session;
          return operation(session);
        });
        return await result;
      } catch (error) {
        if (!this.isLoss(error)) throw error;
        await this.recover(session, error);
      }
    }
  }

  /** Runs an operation that changes the state, after those before it. */
  change<T>(operation: Operation<T>, options: EntryOptions): Promise<T> {
    if (!this.logs) return this.ask(operation);
    const entry = this.log.entry(operation, options);
    this.turn(async () => {
      const { session } = this;
      this.log.add(entry);
      await entry.start(session, (error) => this.whenLost(session, error));
      if (this.log.due && !this.recovering) this.keepState(session);
    }).catch(entry.reject);
    return entry.done as Promise<T>;
  }

  /**
   * Runs `work` on a separate session in the state before the given step. Undefined if that state is not kept.
   */
  async before<T>(step: number, work: (session: Session) => Promise<T>): Promise<T | undefined> {
    const earlier = this.log.before(step);
    if (!earlier) return undefined;
    const session = await Session.open(this.session.device, this.session.spec);
    try {
      if (earlier.base) restoreSnapshot(session.store, earlier.base);
      for (const entry of earlier.entries) await entry.again(session);
      return await work(session);
    } finally {
      await session.dispose();
    }
  }

  async dispose(): Promise<void> {
    await this.recovering;
    this.over ??= new TwingradError("DISPOSED", "The trainer was disposed.");
    await this.session.dispose();
    if (this.session.device !== this.first) this.session.device.dispose();
  }

  private turn<T>(work: () => Promise<T>): Promise<T> {
    const mine = this.tail.then(async () => {
      while (this.recovering) await this.recovering;
      if (this.over) throw this.over;
      return work();
    });
    this.tail = mine.catch(() => undefined);
    return mine;
  }

  private keepState(session: Session): void {
    this.log
      .keepState(session, () => session === this.session && !this.recovering)
      .catch((error) => {
        if (!this.whenLost(session, error)) this.over ??= error;
      });
  }

  private isLoss(error: unknown): error is DeviceLostError {
    return error instanceof DeviceLostError && this.reopen !== undefined && error !== this.over;
  }

  /** Whether the error is a lost device; all operations in flight are then replayed. */
  private whenLost(session: Session, error: unknown): boolean {
    if (!this.isLoss(error)) return false;
    this.recover(session, error);
    return true;
  }

  private recover(session: Session, error: DeviceLostError): Promise<void> {
    if (session !== this.session || this.over) return this.recovering ?? Promise.resolve();
    this.recovering ??= this.open(error).finally(() => {
      this.recovering = undefined;
    });
    return this.recovering;
  }

  private async open(error: DeviceLostError): Promise<void> {
    const most = this.options?.losses ?? 3;
    let lost = error;
    for (;;) {
      this.losses++;
      if (this.losses >= most) {
        const advice = `It was lost ${most} times without a new step in between, so training stops; saved checkpoints are kept`;
        return this.giveUp(new DeviceLostError(lost.reason, advice, { cause: lost }));
      }
      let device: Device;
      try {
        device = await opened(this.reopen!);
      } catch (cause) {
        const why = cause instanceof Error ? cause.message.replace(/\.$/, "") : String(cause);
        const advice = `No replacement could be opened within ${openingSeconds} s: ${why}`;
        return this.giveUp(new DeviceLostError(lost.reason, advice, { cause }));
      }
      try {
        return await this.startAgain(device, lost);
      } catch (again) {
        if (!(again instanceof DeviceLostError)) return this.giveUp(again);
        lost = again;
      }
    }
  }

  private async startAgain(device: Device, { reason }: DeviceLostError): Promise<void> {
    const { spec, device: lost } = this.session;
    if (lost !== this.first) lost.dispose();
    this.session = await Session.open(device, spec);
    const { store } = this.session;
    if (this.log.base) restoreSnapshot(store, this.log.base);
    const from = store.step;
    const exact = await this.log.replay(this.session);
    this.options?.onRecovery?.({ reason, from, to: store.step, exact, device });
  }

  private giveUp(reason: unknown): void {
    this.over = reason;
    this.log.rejectAll(reason);
  }
}

async function opened(open: () => Promise<Device>): Promise<Device> {
  const until = performance.now() + openingSeconds * 1000;
  for (let wait = 50; ; wait = Math.min(2 * wait, 2000)) {
    try {
      return await open();
    } catch (error) {
      if (performance.now() + wait > until) throw error;
      await new Promise((resolve) => setTimeout(resolve, wait));
    }
  }
}
