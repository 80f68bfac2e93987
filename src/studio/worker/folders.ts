// The studio's folders, all below one in the origin-private file system.
import { TwingradError } from "../../errors.ts";
import type { CheckpointFolder } from "../../train/checkpoints.ts";
import { originPrivateFolder } from "../../web/originPrivateFolder.ts";
import { isObject } from "./shapes.ts";

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

/** The data were stored by a newer studio, in a form that this one does not know: nothing is read or written. */
export class NewerStudioError extends TwingradError {
  constructor() {
    super(
      "CHECKPOINT_MISMATCH",
      "What is stored here was written by a newer version of the studio. Start that version to use it, or clear the site data of this page to begin anew. Nothing was changed.",
    );
  }
}

/**
 * Reads a stored value: `{}` if there is no such file; `damaged`, its text, if the file is not JSON or has another
 * shape.
 * @throws NewerStudioError
 */
export async function readJson<T>(
  folder: CheckpointFolder,
  name: string,
  isShape: (value: unknown) => value is T,
): Promise<{ readonly value?: T; readonly damaged?: string }> {
  if (!(await folder.list()).includes(name)) return {};
  const damaged = text.decode.decode(await folder.read(name));
  try {
    const value: unknown = JSON.parse(damaged);
    if (isNewer(value)) throw new NewerStudioError();
    return isShape(value) ? { value } : { damaged };
  } catch (error) {
    if (error instanceof NewerStudioError) throw error;
    return { damaged };
  }
}

const isNewer = (value: unknown): boolean =>
  isObject(value) && ((typeof value.version === "number" && value.version > 1) || isNewer(value.gallery));

const aside = ".damaged";
export const isAside = (name: string) => name.includes(aside);

/** Keeps a damaged file under another name, which is returned, so that its own can be written. */
export async function setAside(folder: CheckpointFolder, name: string): Promise<string> {
  const names = await folder.list();
  const named = (n: number) => name.replace(".json", `${aside}${n === 1 ? "" : `-${n}`}.json`);
  let n = 1;
  while (names.includes(named(n))) n++;
  await folder.write(named(n), await folder.read(name));
  return named(n);
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
