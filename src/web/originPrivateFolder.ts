// Checkpoints of a page or a worker: in the origin-private file system, which nobody but this origin sees.
// https://fs.spec.whatwg.org
import { TwingradError } from "../errors.ts";
import type { CheckpointFolder } from "../train/checkpoints.ts";
import { storageError } from "./storageError.ts";

/** `move` renames within the origin-private file system; TypeScript's library lacks it. */
interface MovableFile extends FileSystemFileHandle {
  move(name: string): Promise<void>;
}

/**
 * A folder of the origin-private file system, made with the first checkpoint. The browser may clear it when space is
 * short, unless `navigator.storage.persist()` was granted.
 * @throws BAD_INPUT where the browser has none. Its methods throw `DiskError` for what the browser refuses, with why: its
 * quota is used up (`full`), the page has no right (`denied`), another tab writes the same file (`busy`); and BAD_INPUT for
 * a file that is not there or a name that cannot be.
 * @example
 * ```ts
 * import { originPrivateFolder } from "twingrad/web";
 *
 * const checkpoints = new Checkpoints(originPrivateFolder("runs/faces"));
 * ```
 */
export function originPrivateFolder(path: string): CheckpointFolder {
  const { storage } = (globalThis.navigator ?? {}) as Partial<Navigator>; // Node 20 has none
  if (typeof storage?.getDirectory !== "function") {
    throw new TwingradError(
      "BAD_INPUT",
      "This runtime has no origin-private file system, or the page is no secure context: serve it from https or localhost.",
    );
  }
  const open = async (create = false) => {
    let folder = await storage.getDirectory();
    for (const name of path.split("/").filter(Boolean)) folder = await folder.getDirectoryHandle(name, { create });
    return folder;
  };
  /** Runs `work`; what it fails with names the file, what was done with it, and why that cannot be. */
  async function doing<T>(name: string, what: string, work: () => Promise<T>): Promise<T> {
    try {
      return await work();
    } catch (error) {
      throw storageError(name ? `${path}/${name}` : path, what, error as Error);
    }
  }
  // One writer at a time, of all tabs and workers of the origin: what another one writes is no leftover.
  const lock = `twingrad ${path.split("/").filter(Boolean).join("/")}`;
  const alone = async (work: () => Promise<void>): Promise<void> => {
    await navigator.locks.request(lock, work);
  };
  let cleared = false;
  /** Removes what a page that was closed in the middle of a write left. */
  const clear = async (folder: FileSystemDirectoryHandle) => {
    if (cleared) return;
    for await (const name of folder.keys()) {
      if (name.startsWith(".")) await folder.removeEntry(name).catch(() => undefined); // in use: no leftover
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
          const stream = await file.createWritable(); // takes the place of the file's old content when it is closed
          try {
            // Asks for the room first. A write that runs out of quota breaks the pipe that its bytes come through, and Chrome
            // may tell of that alone (an AbortError).
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
