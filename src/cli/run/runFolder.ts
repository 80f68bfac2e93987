// One run a folder: two runs would corrupt each other's checkpoints and log.

import { rmdir } from "node:fs/promises";
import { join } from "node:path";
import { DiskError } from "../../index.ts";
import { FileLock, makeFolder } from "../../internal.ts";

const lockName = ".training.lock";

/**
 * Runs `work` while no other process trains in the folder, which is created if missing.
 * @throws DISK, `busy`, with the other process's id, machine and start time.
 */
export async function inRunFolder<T>(folder: string, tell: (text: string) => void, work: () => Promise<T>): Promise<T> {
  const made = await makeFolder(folder);
  const lock = await lockIn(folder, tell);
  let isDone = false;
  try {
    const result = await work();
    isDone = true;
    return result;
  } finally {
    await lock?.release();
    if (made !== undefined && !isDone) await rmdir(folder).catch(() => undefined); // fails if not empty: a run started
  }
}

/** A full or read-only disk does not stop a run; so it does not need the lock, either. */
async function lockIn(folder: string, tell: (text: string) => void): Promise<FileLock | undefined> {
  try {
    return await FileLock.take(join(folder, lockName), { what: folder, doing: "is being trained in", tell });
  } catch (error) {
    if (!(error instanceof DiskError)) throw error;
    if (error.reason === "busy") {
      throw new DiskError("busy", `${error.message}. Wait for it to end, or choose another --out`, { cause: error });
    }
    tell(`${error.message}; training continues without a lock on ${folder}`);
    return undefined;
  }
}
