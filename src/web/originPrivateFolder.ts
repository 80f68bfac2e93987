// Checkpoints of a page or a worker: in the origin-private file system, which nobody but this origin sees.
// https://fs.spec.whatwg.org
import { TwingradError } from "../gpu/errors.ts";
import type { CheckpointFolder } from "../train/checkpoints.ts";

/** `move` renames within the origin-private file system; TypeScript's library lacks it. */
interface MovableFile extends FileSystemFileHandle {
  move(name: string): Promise<void>;
}

/**
 * A folder of the origin-private file system, made with the first checkpoint. The browser may clear it when space is
 * short, unless `navigator.storage.persist()` was granted.
 * @throws BAD_INPUT where the browser has none; its methods throw DISK for what the browser refuses, as beyond its quota.
 */
export function originPrivateFolder(path: string): CheckpointFolder {
  const { storage } = navigator;
  if (typeof storage?.getDirectory !== "function") {
    throw new TwingradError(
      "BAD_INPUT",
      "This browser has no origin-private file system, or the page is no secure context: serve it from https or localhost.",
    );
  }
  const open = async (create = false) => {
    let folder = await storage.getDirectory();
    for (const name of path.split("/").filter(Boolean)) folder = await folder.getDirectoryHandle(name, { create });
    return folder;
  };
  const failed = (name: string, what: string) => (error: Error) => {
    throw new TwingradError("DISK", `${path}/${name}: cannot be ${what}: ${error.message}`, { cause: error });
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
    async list() {
      try {
        const names: string[] = [];
        for await (const [name, { kind }] of await open()) {
          if (kind === "file" && !name.startsWith(".")) names.push(name);
        }
        return names;
      } catch (error) {
        if ((error as Error).name === "NotFoundError") return [];
        return failed("", "listed")(error as Error);
      }
    },
    async read(name) {
      try {
        const file = await (await open()).getFileHandle(name);
        return new Uint8Array(await (await file.getFile()).arrayBuffer());
      } catch (error) {
        return failed(name, "read")(error as Error);
      }
    },
    async write(name, bytes) {
      const beside = `.${name}.part`;
      try {
        const folder = await open(true);
        await clear(folder);
        const file = (await folder.getFileHandle(beside, { create: true })) as MovableFile;
        const stream = await file.createWritable(); // takes the place of the file's old content when it is closed
        try {
          await stream.write(bytes as Uint8Array<ArrayBuffer>);
          await stream.close();
        } catch (error) {
          await stream.abort().catch(() => undefined);
          await folder.removeEntry(beside).catch(() => undefined);
          throw error;
        }
        await file.move(name);
      } catch (error) {
        failed(name, "written")(error as Error);
      }
    },
    async remove(name) {
      try {
        await (await open()).removeEntry(name);
      } catch (error) {
        failed(name, "removed")(error as Error);
      }
    },
  };
}
