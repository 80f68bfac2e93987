// One run a folder: of two that write the same checkpoints and the same log neither could be trusted.

import { mkdir, rmdir } from "node:fs/promises";
import { join } from "node:path";
import { DiskError } from "../../index.ts";
import { diskError, FileLock } from "../../internal.ts";

const lockName = ".training.lock";

/**
 * Does `work` while no other process trains in the folder, which is made where it is missing.
 * @throws DISK, `busy`, with the other process's number, machine and start.
 */
export async function inRunFolder<T>(folder: string, tell: (text: string) => void, work: () => Promise<T>): Promise<T> {
  const made = await mkdir(folder, { recursive: true }).catch((error: Error) => {
    throw diskError(folder, "made", error);
  });
  const lock = await lockIn(folder, tell);
  let isDone = false;
  try {
    const result = await work();
    isDone = true;
    return result;
  } finally {
    await lock?.release();
    if (made !== undefined && !isDone) await rmdir(folder).catch(() => undefined); // not empty: a run that began
  }
}

/** A disk that is full or read-only costs a run its checkpoints for a while, not the run: so it does with the lock. */
async function lockIn(folder: string, tell: (text: string) => void): Promise<FileLock | undefined> {
  try {
    return await FileLock.take(join(folder, lockName), { what: folder, doing: "is being trained in", tell });
  } catch (error) {
    if (!(error instanceof DiskError) || error.reason === "busy") throw error;
    tell(`${error.message}; training goes on, and nothing keeps another one out of ${folder}`);
    return undefined;
  }
}
