// Checkpoints of a page or worker in the origin-private file system, which only this origin can access.
// https://fs.spec.whatwg.org
import { TwingradError } from "../errors.ts";
import type { CheckpointFolder } from "../train/checkpoints.ts";
import { storageError } from "./storageError.ts";

/** `move` renames within the origin-private file system; TypeScript's types lack it. */
interface MovableFile extends FileSystemFileHandle {
  move(name: string): Promise<void>;
}

/**
 * A folder of the origin-private file system, created with the first checkpoint. The browser may clear it when space is
 * short, unless `navigator.storage.persist()` was granted.
 * @throws BAD_INPUT if the browser has no such file system. The folder's methods throw `DiskError` with a reason: the
 * quota is exceeded (`full`), the page has no permission (`denied`), another tab writes the same file (`busy`); and
 * BAD_INPUT for a missing file or an invalid name.
 * @example
 * ```ts
 * import { originPrivateFolder } from "twingrad/web";
 *
 * const checkpoints = new Checkpoints(originPrivateFolder("runs/faces"));
 * ```
 */
export function originPrivateFolder(path: string): CheckpointFolder {
  const { storage } = (globalThis.navigator ?? {}) as Partial<Navigator>; // Node 20 has no navigator
  if (typeof storage?.getDirectory !== "function") {
    throw new TwingradError(
      "BAD_INPUT",
      "This runtime has no origin-private file system, or the page is not a secure context: serve it from https or localhost.",
    );
  }
  const open = async (create = false) => {
    let folder = await storage.getDirectory();
    for (const name of path.split("/").filter(Boolean)) folder = await folder.getDirectoryHandle(name, { create });
    return folder;
  };
  /** Runs `work`; errors name the file, the operation and the reason. */
  async function doing<T>(name: string, what: string, work: () => Promise<T>): Promise<T> {
    try {
      return await work();
    } catch (error) {
      throw storageError(name ? `${path}/${name}` : path, what, error as Error);
    }
  }
  // One writer at a time among all tabs and workers of the origin, so that a write in progress is not taken for a
  // leftover.
  const lock = `twingrad ${path.split("/").filter(Boolean).join("/")}`;
  const alone = async (work: () => Promise<void>): Promise<void> => {
    await navigator.locks.request(lock, work);
  };
  let cleared = false;
  /** Removes partial files that a page left when it was closed during a write. */
  const clear = async (folder: FileSystemDirectoryHandle) => {
    if (cleared) return;
    for await (const name of folder.keys()) {
      if (name.startsWith(".")) await folder.removeEntry(name).catch(() => undefined); // in use, so not a leftover
    }
    cleared = true;
  };
  return {
    path,
    list: () =>
      doing("", "listed", async () => {
        const folder = await open().catch((error: Error) => {
          if (error.name !== "NotFoundError") throw error;
        });
        const names: string[] = [];
        if (!folder) return names;
        for await (const [name, { kind }] of folder) if (kind === "file" && !name.startsWith(".")) names.push(name);
        return names;
      }),
    read: (name) =>
      doing(name, "read", async () => {
        const file = await (await open()).getFileHandle(name);
        return new Uint8Array(await (await file.getFile()).arrayBuffer());
      }),
    write: (name, bytes) =>
      doing(name, "written", () =>
        alone(async () => {
          const beside = `.${name}.part`;
          const folder = await open(true);
          await clear(folder);
          const file = (await folder.getFileHandle(beside, { create: true })) as MovableFile;
          const stream = await file.createWritable(); // replaces the old content when it is closed
          try {
            // Reserves the space first. A write that exceeds the quota breaks the pipe of its bytes, and Chrome may
            // report only that (an AbortError).
            await stream.truncate(bytes.length);
            await stream.write(bytes as Uint8Array<ArrayBuffer>);
            await stream.close();
          } catch (error) {
            await stream.abort().catch(() => undefined);
            await folder.removeEntry(beside).catch(() => undefined);
            throw error;
          }
          await file.move(name);
        }),
      ),
    remove: (name) => doing(name, "removed", async () => (await open()).removeEntry(name)),
  };
}
