// Saving that never loses what was saved before.
import { open, readdir, rename, rm } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { diskError } from "./diskError.ts";

/**
 * Replaces a file whole or not at all: the bytes go into a new file beside it, are synced to the disk, and take the
 * name only then. A failure leaves the old file as it was.
 * @throws DISK when there is no room or the disk may not be written to.
 */
export async function writeAtomic(path: string, bytes: Uint8Array | string): Promise<void> {
  const beside = join(dirname(path), partOf(basename(path), process.pid));
  try {
    const file = await open(beside, "w");
    try {
      await file.writeFile(bytes);
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(beside, path);
    await syncFolder(dirname(path));
  } catch (error) {
    // Where nothing can be written nothing can be removed either: the first reason is the one to tell.
    await rm(beside, { force: true }).catch(() => undefined);
    throw diskError(path, "written", error as Error);
  }
}

const partOf = (name: string, owner: number) => `.${name}.${owner}.part`;

/** Removes what processes that were killed in the middle of `writeAtomic` left in a folder. */
export async function removeParts(folder: string): Promise<void> {
  const names = await readdir(folder).catch(() => []);
  for (const name of names) {
    const owner = /^\..+\.(\d+)\.part$/.exec(name)?.[1];
    if (owner && !isRunning(Number(owner))) await rm(join(folder, name), { force: true });
  }
}

function isRunning(id: number): boolean {
  try {
    return process.kill(id, 0);
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "EPERM"; // somebody else's
  }
}

/** The new name itself must be on the disk, too; where folders cannot be opened (Windows) the system sees to it. */
async function syncFolder(path: string): Promise<void> {
  if (process.platform === "win32") return;
  const folder = await open(path, "r");
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
}
