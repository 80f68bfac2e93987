// Saving that never loses what was saved before, and keeps what the name leads to and who may read it.
import { randomUUID } from "node:crypto";
import type { Stats } from "node:fs";
import { type FileHandle, lstat, open, readdir, readlink, realpath, rename, rm } from "node:fs/promises";
import { basename, dirname, join, resolve } from "node:path";
import { TwingradError } from "../../errors.ts";
import { diskError } from "./diskError.ts";
import { birthOf, isRunning } from "./processes.ts";

export interface WriteOptions {
  /** A new file is readable by its owner alone (0600): it holds embeddings. One that is there keeps its permissions. */
  readonly ownerOnly?: boolean;
  /** Called when all bytes are on the disk: the last moment to refuse. */
  readonly beforeRename?: () => Promise<void>;
}

/**
 * Replaces a file whole or not at all: the bytes go into a new file beside it, are synced to the disk, and take the
 * name only then. A failure leaves the old file as it was. A symbolic link stays: the file that it leads to is replaced.
 * Permissions are kept, and where the system allows it owner and group.
 * @throws DISK when there is no room or the disk may not be written to, BAD_INPUT where something else than a file has the
 * name.
 */
export async function writeAtomic(
  path: string,
  bytes: Uint8Array | string,
  { ownerOnly = false, beforeRename }: WriteOptions = {},
): Promise<void> {
  const { file: target, stats } = await fileAt(path);
  const beside = partOf(target);
  try {
    // Until it has the permissions of the file that it replaces nobody else may read it.
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
    // Where nothing can be written nothing can be removed either: the first reason is the one to tell.
    await rm(beside, { force: true }).catch(() => undefined);
    if (error instanceof TwingradError) throw error;
    throw diskError(path, "written", error as Error);
  }
}

/** As many symbolic links as Linux follows. */
const mostLinks = 40;

/**
 * The file that a name leads to, through symbolic links, also where it does not exist yet.
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
        throw new TwingradError("BAD_INPUT", `${path}: cannot be written: a file was expected, not ${kindOf(stats)}`);
      }
      file = resolve(dirname(file), await readlink(file));
    }
    throw new TwingradError("BAD_INPUT", `${path}: cannot be written: its symbolic links lead in a circle`);
  } catch (error) {
    if (error instanceof TwingradError) throw error;
    throw diskError(path, "written", error as Error);
  }
}

/** What stands at a name, where it is no file. */
export function kindOf(stats: Stats): string {
  if (stats.isDirectory()) return "a folder";
  if (stats.isFIFO()) return "a named pipe";
  return stats.isSocket() ? "a socket" : "a device";
}

/** Gives a new file the permissions, and if possible the owner and the group, of the one that it replaces. */
export async function keepAccess(file: FileHandle, { uid, gid, mode }: Stats): Promise<void> {
  const own = await file.stat();
  // Only root may give a file away; a group may be one that this process is no member of.
  if (own.uid !== uid) await file.chown(uid, gid).catch(() => undefined);
  if (own.gid !== gid) await file.chown(-1, gid).catch(() => undefined);
  const isGroupKept = (await file.stat()).gid === gid;
  await file.chmod(mode & (isGroupKept ? 0o777 : 0o707)); // never readable by another group than before
}

/**
 * A name beside the file for what is being written. It tells which process writes it, and when that began: in a
 * container the number of a killed process is soon another's.
 */
export const partOf = (file: string) => {
  const birth = birthOf(process.pid);
  const owner = birth === undefined ? process.pid : `${process.pid}-${birth}`;
  return join(dirname(file), `.${basename(file)}-${randomUUID().slice(0, 8)}.${owner}.part`);
};

const partName = /^\.(.+?)(?:-[0-9a-f]{8})?\.(\d+)(?:-(\d+))?\.part$/;

/**
 * Removes what processes that were killed in the middle of a write left in a folder.
 * @param isMeant selects the files. @default all
 */
export async function removeParts(folder: string, isMeant = (_name: string) => true): Promise<void> {
  for (const entry of await readdir(folder).catch(() => [])) {
    const [, name, owner, birth] = partName.exec(entry) ?? [];
    if (name === undefined || !isMeant(name)) continue;
    const pid = Number(owner);
    if (isRunning(pid) && (birth === undefined || birth === birthOf(pid))) continue;
    await rm(join(folder, entry), { force: true });
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
