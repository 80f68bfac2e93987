// Checkpoints in a folder of a disk.
import { mkdir, readdir, readFile, rm } from "node:fs/promises";
import { join } from "node:path";
import type { CheckpointFolder } from "../../train/checkpoints.ts";
import { diskError } from "./diskError.ts";
import { writeAtomic } from "./writeAtomic.ts";

/**
 * Stores checkpoints in a folder, which is created with the first one; its parent must exist.
 * @example
 * ```ts
 * import { diskFolder } from "twingrad/node";
 *
 * const checkpoints = new Checkpoints(diskFolder("model/checkpoints"));
 * ```
 */
export function diskFolder(path: string): CheckpointFolder {
  const failed = (name: string, what: string) => (error: Error) => {
    throw diskError(join(path, name), what, error);
  };
  return {
    path,
    async list() {
      const entries = await readdir(path, { withFileTypes: true }).catch((error: NodeJS.ErrnoException) =>
        error.code === "ENOENT" ? [] : failed("", "listed")(error),
      );
      return entries.filter((entry) => !entry.isDirectory()).map(({ name }) => name);
    },
    async read(name) {
      return new Uint8Array(await readFile(join(path, name)).catch(failed(name, "read")));
    },
    async write(name, bytes) {
      // Not recursive: on a read-only disk that would fail with "no such file".
      await mkdir(path).catch((error: NodeJS.ErrnoException) => error.code === "EEXIST" || failed("", "made")(error));
      await writeAtomic(join(path, name), bytes, { ownerOnly: true });
    },
    async remove(name) {
      await rm(join(path, name), { force: true }).catch(failed(name, "removed"));
    },
  };
}
