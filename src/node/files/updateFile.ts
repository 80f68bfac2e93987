// Reading, changing and writing a file as one step, whichever processes do so at the same time.
import { readFile } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { diskError } from "./diskError.ts";
import { FileLock, type LockOptions } from "./lock.ts";
import { fileAt, removeParts, type WriteOptions, writeAtomic } from "./writeAtomic.ts";

/** Many may be in the queue, and each syncs to the disk. */
const waitSeconds = 90;

/**
 * Writes what `change` gives for the bytes that are in the file, undefined where there is none. Nobody else who uses this
 * function changes the file between. What a killed process left beside it is removed. Nothing is written where `change`
 * rejects.
 * @throws DISK, `busy`, where another process holds the file's lock for long; and as `writeAtomic`.
 */
export async function updateFile(
  path: string,
  change: (present: Buffer | undefined) => Promise<Uint8Array | string>,
  { tell, ...options }: Pick<WriteOptions, "ownerOnly"> & Pick<LockOptions, "tell"> = {},
): Promise<void> {
  const { file } = await fileAt(path); // of several names of a file all have one lock
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
