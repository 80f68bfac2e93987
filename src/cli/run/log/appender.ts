// A growing file whose writer may be killed at any moment and whose disk may be full: what cannot be written waits.
import { constants } from "node:fs";
import { type FileHandle, open } from "node:fs/promises";

export class Appender {
  #waiting: Uint8Array[] = [];
  #file?: FileHandle;
  /** How many bytes of the file are known to be good: what a failed write left behind them is written over. */
  #length = 0;
  #turn: Promise<unknown> = Promise.resolve();

  /**
   * @param begin tells, from the bytes that are in the file, how many to keep and what to put behind them first; called
   * with the first flush.
   */
  constructor(
    readonly path: string,
    private readonly begin: (present: Uint8Array) => { keep: number; first: Uint8Array | string },
  ) {}

  append(bytes: Uint8Array | string): void {
    this.#waiting.push(typeof bytes === "string" ? Buffer.from(bytes) : bytes);
  }

  /** Writes what waits and syncs it to the disk. Rejects as the file system does; what was not written waits on. */
  flush(): Promise<void> {
    const result = this.#turn.then(() => this.#flush());
    this.#turn = result.catch(() => undefined);
    return result;
  }

  async close(): Promise<void> {
    await this.#turn;
    await this.#file?.close();
    this.#file = undefined;
  }

  async #flush(): Promise<void> {
    this.#file ??= await this.#open();
    const bytes = Buffer.concat(this.#waiting);
    this.#waiting = [];
    try {
      for (let written = 0; written < bytes.length; ) {
        const part = await this.#file.write(bytes, written, bytes.length - written, this.#length + written);
        written += part.bytesWritten;
      }
    } catch (error) {
      this.#waiting.unshift(bytes);
      throw error;
    }
    this.#length += bytes.length;
    await this.#file.sync();
  }

  async #open(): Promise<FileHandle> {
    const file = await open(this.path, constants.O_RDWR | constants.O_CREAT);
    try {
      const { keep, first } = this.begin(await file.readFile());
      await file.truncate(keep);
      this.#length = keep;
      this.#waiting.unshift(Buffer.from(first as Uint8Array));
      return file;
    } catch (error) {
      await file.close();
      throw error;
    }
  }
}
