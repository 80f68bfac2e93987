// An append-only file that survives a kill at any moment; with a full disk, unwritten data are kept and retried.
import { constants } from "node:fs";
import { type FileHandle, open } from "node:fs/promises";
import { fileAt } from "../../../internal.ts";

export class Appender {
  #waiting: Uint8Array[] = [];
  #file?: FileHandle;
  /** Length of the valid part of the file: the rest of a failed write is overwritten. */
  #length = 0;
  #turn: Promise<unknown> = Promise.resolve();

  /**
   * @param begin called at the first flush with the file's bytes; returns how many to keep and what to append first.
   */
  constructor(
    readonly path: string,
    private readonly begin: (present: Uint8Array) => { keep: number; first: Uint8Array | string },
  ) {}

  append(bytes: Uint8Array | string): void {
    this.#waiting.push(typeof bytes === "string" ? Buffer.from(bytes) : bytes);
  }

  /**
   * Writes pending data and syncs it to the disk. Rejects with the file system's error; unwritten data stay pending.
   */
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
    await fileAt(this.path); // fails for a named pipe, which would block `open`
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
