// The logs of a training run, in the folder of its model: a CSV table and TensorBoard's event file.
import { join } from "node:path";
import { csvLog } from "./csv.ts";
import { eventLog } from "./events.ts";
import type { LogEntry, LogWriter } from "./logWriter.ts";

const secondsBetweenFlushes = 1;

/** All log writers of a run. A full or read-only disk causes a single warning, and training continues. */
export class TrainingLog {
  readonly #writers: readonly LogWriter[];
  readonly #warn: (text: string) => void;
  #failing = false;
  #flushed = performance.now();

  private constructor(writers: readonly LogWriter[], warn: (text: string) => void) {
    this.#writers = writers;
    this.#warn = warn;
  }

  /** @param from the step that the run resumes from; 0 for a new run. */
  static async open(folder: string, from: number, warn: (text: string) => void): Promise<TrainingLog> {
    return new TrainingLog([csvLog(join(folder, "log.csv"), from), await eventLog(folder, from)], warn);
  }

  /** A log that writes nothing, for ranks other than 0. */
  static none(): TrainingLog {
    return new TrainingLog([], () => undefined);
  }

  write(entry: Omit<LogEntry, "seconds">): void {
    const stamped = { ...entry, seconds: Date.now() / 1000 };
    for (const writer of this.#writers) writer.write(stamped);
    if (performance.now() - this.#flushed > secondsBetweenFlushes * 1000) void this.flush();
  }

  /** Writes everything to the disk, or warns. Never rejects. */
  async flush(): Promise<void> {
    this.#flushed = performance.now();
    const results = await Promise.allSettled(this.#writers.map((writer) => writer.flush()));
    const failed = results.findIndex(({ status }) => status === "rejected");
    if (failed >= 0 && !this.#failing) {
      const { reason } = results[failed] as PromiseRejectedResult;
      this.#warn(`${this.#writers[failed].path}: cannot be written: ${(reason as Error).message}; will retry`);
    }
    this.#failing = failed >= 0;
  }

  async close(): Promise<void> {
    await this.flush();
    for (const writer of this.#writers) await writer.close();
  }
}
