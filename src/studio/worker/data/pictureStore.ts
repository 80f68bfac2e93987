// Stores the pictures' bytes in the origin-private file system, each once, under the SHA-256 of its content.
import type { TwingradError } from "../../../errors.ts";
import { storageError } from "../../../web/storageError.ts";

export interface PictureStore {
  readonly read: (id: string) => Promise<Uint8Array>;
  /** Atomic. @throws DISK where the browser refuses. */
  readonly write: (id: string, bytes: Uint8Array) => Promise<void>;
  readonly remove: (id: string) => Promise<void>;
  readonly list: () => Promise<string[]>;
  /** Removes all others, which a page left when it was closed in the middle of adding or removing pictures. */
  readonly keepOnly: (ids: ReadonlySet<string>) => Promise<void>;
}

/** The part of a worker's file handles that a page's lack; TypeScript has the types for pages. */
interface WorkerFile extends FileSystemFileHandle {
  createSyncAccessHandle(): Promise<{
    truncate(size: number): void;
    write(bytes: Uint8Array, options: { at: number }): number;
    flush(): void;
    close(): void;
  }>;
}

/** A folder of the origin-private file system. */
export function storedPictures(path: string): PictureStore {
  const folder = async (create = true) => {
    let found = await navigator.storage.getDirectory();
    for (const name of path.split("/")) found = await found.getDirectoryHandle(name, { create });
    return found;
  };
  const list = async () => {
    const inside = await folder(false).catch(() => undefined);
    const names: string[] = [];
    if (inside) for await (const name of inside.keys()) names.push(name); // otherwise nothing was ever stored
    return names;
  };
  const failed = (id: string, what: string, error: unknown): TwingradError =>
    storageError(`${path}/${id}`, what, error as Error);
  return {
    async read(id) {
      try {
        const file = await (await folder()).getFileHandle(id);
        return new Uint8Array(await (await file.getFile()).arrayBuffer());
      } catch (error) {
        throw failed(id, "read", error);
      }
    },
    async write(id, bytes) {
      const inside = await folder();
      try {
        const file = (await inside.getFileHandle(id, { create: true })) as WorkerFile;
        const handle = await file.createSyncAccessHandle();
        try {
          handle.truncate(bytes.length); // reserves the space first
          handle.write(bytes, { at: 0 });
          handle.flush();
        } finally {
          handle.close();
        }
      } catch (error) {
        await inside.removeEntry(id).catch(() => undefined);
        throw failed(id, "written", error);
      }
    },
    async remove(id) {
      await (await folder()).removeEntry(id).catch(() => undefined); // already gone
    },
    list,
    async keepOnly(ids) {
      const gone = (await list()).filter((id) => !ids.has(id));
      if (gone.length === 0) return;
      const inside = await folder();
      for (const id of gone) await inside.removeEntry(id).catch(() => undefined);
    },
  };
}
