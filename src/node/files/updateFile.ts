// Reads, changes and writes a file as one atomic step among all processes that do so.
import { readFile } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { diskError } from "./diskError.ts";
import { FileLock, type LockOptions } from "./lock.ts";
import { fileAt, removeParts, type WriteOptions, writeAtomic } from "./writeAtomic.ts";

/** Many processes may be waiting, and each one syncs to the disk. */
const waitSeconds = 90;

/**
 * Replaces a file's bytes by `change(bytes)`; `bytes` is undefined if there is no file. No other user of this function
 * changes the file in between. Temporary files of killed processes are removed. If `change` rejects, nothing is
 * written.
 * @throws DISK, `busy`, if another process holds the file's lock for too long; and as `writeAtomic`.
 */
export async function updateFile(
  path: string,
  change: (present: Buffer | undefined) => Promise<Uint8Array | string>,
  { tell, ...options }: Pick<WriteOptions, "ownerOnly"> & Pick<LockOptions, "tell"> = {},
): Promise<void> {
  const { file } = await fileAt(path); // all names of a file share one lock
  const [folder, name] = [dirname(file), basename(file)];
  const lock = await FileLock.take(join(folder, `.${name}.lock`), {
    what: path,
    waitSeconds,
    doing: "is being changed",
    tell,
  });
  try {
    await removeParts(folder, (other) => other === name);
    const bytes = await change(await present(path));
    await writeAtomic(path, bytes, { ...options, beforeRename: () => lock.check() });
  } finally {
    await lock.release();
  }
}

async function present(path: string): Promise<Buffer | undefined> {
  try {
    return await readFile(path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw diskError(path, "read", error as Error);
  }
}
