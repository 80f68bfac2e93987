// Folders of pictures, and saving that never loses what was saved before.
import { open, readdir, readFile, realpath, rename, rm, stat } from "node:fs/promises";
import { basename, dirname, join, relative, sep } from "node:path";
import type { Dataset } from "../../data/dataset.ts";
import { cropInWords, cropOf } from "../../data/pictures/crop.ts";
import { isPictureName } from "../../data/pictures/storedPicture.ts";
import { folderDataset, type PictureFile } from "../../data/sources/folders.ts";
import { type LivenessDataset, livenessFolder } from "../../data/sources/livenessDataset.ts";
import { TwingradError } from "../../errors.ts";
import type { Device } from "../../gpu/device.ts";
import { openSaved } from "../../model/modelFile.ts";
import type { NetworkTask } from "../../nn/network.ts";
import { LivenessModel } from "../../recognition/livenessModel.ts";
import { Model } from "../../recognition/recognitionModel.ts";
import { diskError } from "./diskError.ts";
import { readPicture, readStored } from "./images.ts";
import { boxesIn, type CropFolderOptions } from "./pictureBoxes.ts";

/** The name of the model in a folder that `twingrad train` wrote. */
export const modelFile = "model.safetensors";
/** The folder beside it with the checkpoints on the way. */
export const checkpointsFolder = "checkpoints";

/**
 * The pictures below a folder; the folder that a picture lies in is its identity, at any depth
 * (`2024/ada/1.jpg` is of "2024/ada"). Names that begin with a dot, and files that are no pictures, are left out.
 * Nothing is decoded yet. Identities and pictures come in the order of their names, the same on every system.
 * With `crop` a picture's box is that of the JSON file beside it, or of the folder's boxes.csv.
 * @throws BAD_INPUT when the path is no folder, holds no picture in a sub-folder, or holds pictures outside one;
 * CORRUPT_FILE for a file of boxes that is broken.
 */
export async function imageFolder(path: string, options: CropFolderOptions = {}): Promise<Dataset> {
  return folderDataset(path, await pictureFiles(path, options));
}

/**
 * As `imageFolder`, of live people and of pictures of people: `live/PERSON/...` and `spoof/PERSON/...`, where one name is
 * one person. Without a person's folder each picture counts as a person of its own, of which `warn` is told.
 */
export async function livenessImages(
  path: string,
  warn: (text: string) => void = (text) => console.warn(text),
  options: CropFolderOptions = {},
): Promise<LivenessDataset> {
  return livenessFolder(path, await pictureFiles(path, options), warn);
}

async function pictureFiles(path: string, options: CropFolderOptions): Promise<PictureFile[]> {
  const found = await statOf(path);
  if (!found) throw new TwingradError("BAD_INPUT", `${path}: there is no such folder`);
  if (!found.isDirectory()) {
    throw new TwingradError("BAD_INPUT", `${path}: a folder with one folder for each person was expected, not a file`);
  }
  const names: string[] = [];
  for await (const file of picturesBelow(path, new Set())) names.push(file);
  const { crop = { mode: "centre" }, tell } = options;
  const boxes = crop.mode === "box" ? await boxesIn(path, names, options.boxes) : undefined;
  if (boxes) tell?.(cropInWords(crop, boxes.size, names.length)!);
  return names.map((file): PictureFile => {
    const part = cropOf(boxes?.get(file), crop);
    return {
      path: relative(path, file).split(sep).join("/"),
      name: file,
      decode: (size) => readPicture(file, size, part),
      stored: () => readStored(file, part),
    };
  });
}

/** Links are followed, but never into a folder that is being walked already. */
async function* picturesBelow(folder: string, above: ReadonlySet<string>): AsyncGenerator<string> {
  const real = await realpath(folder);
  if (above.has(real)) return;
  for (const entry of await readdir(folder, { withFileTypes: true })) {
    if (entry.name.startsWith(".")) continue;
    const path = join(folder, entry.name);
    const isFolder = entry.isSymbolicLink() ? (await statOf(path))?.isDirectory() : entry.isDirectory();
    if (isFolder) yield* picturesBelow(path, new Set([...above, real]));
    else if (isPictureName(entry.name)) yield path;
  }
}

const statOf = (path: string) => stat(path).catch(() => undefined);

/**
 * Replaces a file whole or not at all: the bytes go into a new file beside it, are synced to the disk, and take the
 * name only then. A failure leaves the old file as it was.
 * @throws DISK when there is no room or the disk may not be written to.
 */
export async function writeAtomic(path: string, bytes: Uint8Array | string): Promise<void> {
  const beside = join(dirname(path), partOf(basename(path), process.pid));
  try {
    const file = await open(beside, "w");
    try {
      await file.writeFile(bytes);
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(beside, path);
    await syncFolder(dirname(path));
  } catch (error) {
    // Where nothing can be written nothing can be removed either: the first reason is the one to tell.
    await rm(beside, { force: true }).catch(() => undefined);
    throw diskError(path, "written", error as Error);
  }
}

const partOf = (name: string, owner: number) => `.${name}.${owner}.part`;

/** Removes what processes that were killed in the middle of `writeAtomic` left in a folder. */
export async function removeParts(folder: string): Promise<void> {
  const names = await readdir(folder).catch(() => []);
  for (const name of names) {
    const owner = /^\..+\.(\d+)\.part$/.exec(name)?.[1];
    if (owner && !isRunning(Number(owner))) await rm(join(folder, name), { force: true });
  }
}

function isRunning(id: number): boolean {
  try {
    return process.kill(id, 0);
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "EPERM"; // somebody else's
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

/** Writes a model's bytes (`trainer.save()`) whole or not at all. */
export async function saveModel(path: string, bytes: Uint8Array): Promise<void> {
  await writeAtomic(path, bytes);
}

/** Opens a model file, or the model in a folder that `twingrad train` wrote. Errors name the path. */
export async function loadModel(path: string, device: Device): Promise<Model> {
  return naming(path, async () => Model.open(device, await readModelFile(path)));
}

/** As `loadModel`, of what `twingrad train --task liveness` wrote. */
export async function loadLivenessModel(path: string, device: Device): Promise<LivenessModel> {
  return naming(path, async () => LivenessModel.open(device, await readModelFile(path)));
}

/** What a model was trained to tell. Errors name the path. */
export async function taskOfModel(path: string): Promise<NetworkTask> {
  return naming(path, async () => (await openSaved(await readModelFile(path))).description.task);
}

async function naming<T>(path: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    const { message } = error as Error;
    if (message.startsWith(path)) throw error;
    const code = error instanceof TwingradError ? error.code : "BAD_INPUT";
    throw new TwingradError(code, `${path}: ${message}`, { cause: error });
  }
}

/** The file itself, or `model.safetensors` in a folder. */
export async function modelFileOf(path: string): Promise<string> {
  return (await statOf(path))?.isDirectory() ? join(path, modelFile) : path;
}

/** The bytes of a model: of the file itself, or of `model.safetensors` in a folder. */
export async function readModelFile(path: string): Promise<Uint8Array> {
  const found = await statOf(path);
  if (!found) throw new TwingradError("BAD_INPUT", `${path}: there is no such model`);
  const file = await modelFileOf(path);
  if (found.isDirectory() && !(await statOf(file)) && (await statOf(join(path, checkpointsFolder)))) {
    throw new TwingradError(
      "BAD_INPUT",
      `${path}: its training has not ended: go on with --resume, or name one of ${join(path, checkpointsFolder)}`,
    );
  }
  return readFile(file).catch((error: Error) => {
    throw new TwingradError("BAD_INPUT", `${file}: cannot be read: ${error.message}`, { cause: error });
  });
}
