// The studio's folders, all below one in the origin-private file system.
import type { CheckpointFolder } from "../../train/checkpoints.ts";
import { originPrivateFolder } from "../../web/originPrivateFolder.ts";

export const rootFolder = "studio";
export const picturesFolder = `${rootFolder}/pictures`;
export const runsFolder = `${rootFolder}/runs`;
/** Imported models, the liveness model, and the galleries. */
export const recognitionFolder = `${rootFolder}/recognition`;

/** Why this browser cannot store files for the page; undefined where it can. */
export async function storageTrouble(): Promise<string | undefined> {
  if (typeof navigator.storage?.getDirectory !== "function") return "this browser cannot store files for a page";
  try {
    await navigator.storage.getDirectory();
    return undefined;
  } catch (error) {
    return `this browser denies this page access to storage (${(error as Error).message})`;
  }
}

const text = { encode: new TextEncoder(), decode: new TextDecoder() };

export async function readJson<T>(folder: CheckpointFolder, name: string): Promise<T | undefined> {
  if (!(await folder.list()).includes(name)) return undefined;
  return JSON.parse(text.decode.decode(await folder.read(name))) as T;
}

export async function writeJson(folder: CheckpointFolder, name: string, value: unknown): Promise<void> {
  await folder.write(name, text.encode.encode(JSON.stringify(value)));
}

/** The names of the folders within a folder; empty where it does not exist. */
export async function foldersIn(path: string): Promise<string[]> {
  const names: string[] = [];
  try {
    let folder = await navigator.storage.getDirectory();
    for (const part of path.split("/")) folder = await folder.getDirectoryHandle(part);
    for await (const [name, { kind }] of folder) if (kind === "directory") names.push(name);
  } catch (error) {
    if ((error as Error).name !== "NotFoundError") throw error;
  }
  return names;
}

/** Marks that everything is being deleted, outside of what is deleted. */
const deletion = "studio-deletion";

/** Deletes everything. If the page is closed meanwhile, `finishDeletion` does the rest at the next start. */
export async function deleteEverything(): Promise<void> {
  await (await navigator.storage.getDirectory()).getFileHandle(deletion, { create: true });
  await finishDeletion();
}

export async function finishDeletion(): Promise<void> {
  const root = await navigator.storage.getDirectory();
  const begun = await root.getFileHandle(deletion).catch(() => undefined);
  if (!begun) return;
  await removeFolder(rootFolder);
  await root.removeEntry(deletion);
}

/** Removes a folder with its content, where it exists. */
export async function removeFolder(path: string): Promise<void> {
  const parts = path.split("/");
  try {
    let folder = await navigator.storage.getDirectory();
    for (const part of parts.slice(0, -1)) folder = await folder.getDirectoryHandle(part);
    await folder.removeEntry(parts[parts.length - 1], { recursive: true });
  } catch (error) {
    if ((error as Error).name !== "NotFoundError") throw error;
  }
}

export { originPrivateFolder as folderAt };
