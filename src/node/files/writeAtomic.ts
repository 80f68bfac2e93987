// Atomic writes: the previous content is never lost, and links and permissions stay.
import { randomUUID } from "node:crypto";
import type { Stats } from "node:fs";
import { type FileHandle, lstat, open, readdir, readlink, realpath, rename, rm } from "node:fs/promises";
import { basename, dirname, join, resolve } from "node:path";
import { TwingradError } from "../../errors.ts";
import { diskError } from "./diskError.ts";
import { isSameRunning, startTimeOf } from "./processes.ts";

export interface WriteOptions {
  /** A new file is readable by its owner alone (0600). An existing one keeps its permissions. */
  readonly ownerOnly?: boolean;
  /** Called when all bytes are on the disk; a rejection cancels the write. */
  readonly beforeRename?: () => Promise<void>;
}

/**
 * Replaces a file atomically: writes the bytes to a temporary file beside it, syncs it and renames it. A failure leaves
 * the old file as it was. Through a symbolic link, the target is replaced. Permissions are kept, and owner and group
 * where the system allows it.
 * @throws DISK if the disk is full or not writable; BAD_INPUT if the name is taken by something other than a file.
 */
export async function writeAtomic(
  path: string,
  bytes: Uint8Array | string,
  { ownerOnly = false, beforeRename }: WriteOptions = {},
): Promise<void> {
  const { file: target, stats } = await fileAt(path);
  const beside = partOf(target);
  try {
    // Nobody else may read it until it has the permissions of the file that it replaces.
    const file = await open(beside, "wx", stats || ownerOnly ? 0o600 : 0o666);
    try {
      await file.writeFile(bytes);
      if (stats) await keepAccess(file, stats);
      await file.sync();
    } finally {
      await file.close();
    }
    await beforeRename?.();
    await rename(beside, target);
    await syncFolder(dirname(target));
  } catch (error) {
    // Removing may fail for the same reason; the first error is the one to report.
    await rm(beside, { force: true }).catch(() => undefined);
    if (error instanceof TwingradError) throw error;
    throw diskError(path, "written", error as Error);
  }
}

/** As many symbolic links as Linux follows. */
const mostLinks = 40;

/**
 * The target of a path, through symbolic links; it need not exist yet.
 * @throws BAD_INPUT for a folder, a device, a named pipe or a socket: replacing it would destroy it.
 */
export async function fileAt(path: string): Promise<{ file: string; stats?: Stats }> {
  try {
    let file = path;
    for (let links = 0; links <= mostLinks; links++) {
      file = join(await realpath(dirname(file)), basename(file));
      const stats = await lstat(file).catch((error: NodeJS.ErrnoException) => {
        if (error.code !== "ENOENT") throw error;
      });
      if (!stats) return { file };
      if (stats.isFile()) return { file, stats };
      if (!stats.isSymbolicLink()) {
        throw new TwingradError("BAD_INPUT", `${path}: cannot be written: expected a file, not ${kindOf(stats)}`);
      }
      file = resolve(dirname(file), await readlink(file));
    }
    throw new TwingradError("BAD_INPUT", `${path}: cannot be written: its symbolic links lead in a circle`);
  } catch (error) {
    if (error instanceof TwingradError) throw error;
    throw diskError(path, "written", error as Error);
  }
}

/** What is at a path, if it is not a file. */
export function kindOf(stats: Stats): string {
  if (stats.isDirectory()) return "a folder";
  if (stats.isFIFO()) return "a named pipe";
  return stats.isSocket() ? "a socket" : "a device";
}

/** Gives a new file the permissions, and if possible the owner and the group, of the one that it replaces. */
export async function keepAccess(file: FileHandle, { uid, gid, mode }: Stats): Promise<void> {
  const own = await file.stat();
  // Only root may change the owner; this process may not be a member of the group.
  if (own.uid !== uid) await file.chown(uid, gid).catch(() => undefined);
  if (own.gid !== gid) await file.chown(-1, gid).catch(() => undefined);
  const isGroupKept = (await file.stat()).gid === gid;
  await file.chmod(mode & (isGroupKept ? 0o777 : 0o707)); // never readable by another group than before
}

/**
 * The name of the temporary file, with the id and the start time of the writing process: in a container a killed
 * process's id is soon another's.
 */
export const partOf = (file: string) => {
  const birth = startTimeOf(process.pid);
  const owner = birth === undefined ? process.pid : `${process.pid}-${birth}`;
  return join(dirname(file), `.${basename(file)}-${randomUUID().slice(0, 8)}.${owner}.part`);
};

const partName = /^\.(.+?)(?:-[0-9a-f]{8})?\.(\d+)(?:-(\d+))?\.part$/;

/**
 * Removes temporary files of killed processes from a folder.
 * @param isMeant selects the files. @default all
 */
export async function removeParts(folder: string, isMeant = (_name: string) => true): Promise<void> {
  for (const entry of await readdir(folder).catch(() => [])) {
    const [, name, owner, birth] = partName.exec(entry) ?? [];
    if (name === undefined || !isMeant(name) || isSameRunning(Number(owner), birth)) continue;
    await rm(join(folder, entry), { force: true });
  }
}

/** Syncs the renaming, too. Windows, where folders cannot be opened, does so by itself. */
async function syncFolder(path: string): Promise<void> {
  if (process.platform === "win32") return;
  const folder = await open(path, "r");
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
}
