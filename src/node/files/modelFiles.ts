// Models as files, alone or in the folder of the run that trained them.

import { access, constants, open, readFile, realpath } from "node:fs/promises";
import { dirname, join } from "node:path";
import { TwingradError } from "../../errors.ts";
import type { Device } from "../../gpu/device.ts";
import { openSaved } from "../../model/modelFile.ts";
import type { NetworkTask } from "../../nn/network.ts";
import { checkOptions } from "../../options.ts";
import { LivenessModel } from "../../recognition/livenessModel.ts";
import { Model } from "../../recognition/recognitionModel.ts";
import { diskError, makeFolder, statOf } from "./diskError.ts";
import { modelFile, olderThanItsFolder } from "./unfinished.ts";
import { updateFile } from "./updateFile.ts";
import { fileAt, type WriteOptions } from "./writeAtomic.ts";

/** The folder of checkpoints beside the model. */
export const checkpointsFolder = "checkpoints";

/**
 * Writes a model's bytes (`trainer.save()`) atomically. A new file is readable by its owner alone: a model may contain
 * embeddings of its training pictures.
 * @throws DISK if the file cannot be written.
 * @example
 * ```ts
 * import { saveModel } from "twingrad/node";
 *
 * await saveModel("model.safetensors", await trainer.save());
 * ```
 */
export async function saveModel(path: string, bytes: Uint8Array): Promise<void> {
  await updateFile(path, async () => bytes, { ownerOnly: true });
}

interface OutputOptions extends Pick<WriteOptions, "ownerOnly"> {
  /** Files that the outputs are made from, which none of them must replace. */
  readonly sources?: readonly string[];
}

/** As `writeOutputs`, a single one. */
export const writeOutput = (path: string, bytes: Uint8Array | string, options?: OutputOptions): Promise<void> =>
  writeOutputs([[path, bytes]], options);

/**
 * Writes files that a user named, with their folders, each atomically. All are checked before the first is written, so
 * that no new one lies beside an old one that it does not fit.
 * @throws as `checkOutputs`.
 */
export async function writeOutputs(
  files: readonly (readonly [path: string, bytes: Uint8Array | string])[],
  { sources, ...options }: OutputOptions = {},
): Promise<void> {
  const paths = files.map(([path]) => path);
  await checkOutputs(paths, { sources });
  for (const [path, bytes] of files) await updateFile(path, async () => bytes, options);
}

/**
 * To be called before long work whose result is to be written. Makes the folders.
 * @throws BAD_INPUT if a path is that of another output, or of a source, or has a model that took a training to make;
 * DISK if it cannot be written.
 */
export async function checkOutputs(
  paths: readonly string[],
  { sources = [] }: Pick<OutputOptions, "sources"> = {},
): Promise<void> {
  const taken = new Map<string, string>();
  for (const source of sources) taken.set(await realpath(source).catch(() => source), "the file to read");
  for (const path of paths) {
    await makeFolder(dirname(path));
    const { file, stats } = await fileAt(path);
    const what = taken.get(file) ?? (stats && (await isTrained(file, stats.size)) ? "a trained model" : undefined);
    if (what) throw new TwingradError("BAD_INPUT", `${path} is ${what}, which this would replace. Name another file.`);
    taken.set(file, "another output too");
    await access(stats ? file : dirname(file), constants.W_OK).catch((error: Error) => {
      throw diskError(path, "written", error);
    });
  }
}

/**
 * Whether a training saved this file: with its optimizer's state, or with an optimizer that has none. Reads the header
 * alone, as the file may be large: a damaged model counts too; exported weights do not, which can be exported again.
 */
async function isTrained(path: string, size: number): Promise<boolean> {
  const file = await open(path).catch((error: Error) => {
    throw diskError(path, "read", error);
  });
  try {
    const start = Buffer.alloc(8);
    const { bytesRead } = await file.read(start, 0, 8, 0);
    const length = bytesRead === 8 ? start.readBigUInt64LE() : 0n; // of another format: more than the file has
    if (length > size - 8) return false;
    const header = Buffer.alloc(Number(length));
    await file.read(header, 0, header.length, 8);
    return header.includes('"optimizer/') || header.includes(String.raw`\"optimizer\":\"sgd\"`);
  } finally {
    await file.close();
  }
}

/** Options of `loadModel` and `loadLivenessModel`. */
export interface LoadOptions {
  /** Called if a newer training in the model's folder has not ended. @default console.warn */
  warn?: (text: string) => void;
}

/**
 * Opens a model file, or the model in a folder that `twingrad train` wrote. Errors name the path.
 * @throws BAD_INPUT if there is no such file; CORRUPT_FILE or CHECKPOINT_MISMATCH for a file without such a network.
 * @example
 * ```ts
 * import { loadModel, openDevice } from "twingrad/node";
 *
 * const model = await loadModel(await openDevice(), "model/");
 * ```
 */
export function loadModel(device: Device, path: string, options?: LoadOptions): Promise<Model>;
/** @deprecated The former order: pass the device first. */
export function loadModel(path: string, device: Device, options?: LoadOptions): Promise<Model>;
export async function loadModel(...given: LoadArguments): Promise<Model> {
  const { device, path, options } = inOrder(given);
  return naming(path, async () => Model.open(device, await readWarning(path, options)));
}

/**
 * As `loadModel`, for a model of `twingrad train --task liveness`.
 * @example
 * ```ts
 * import { loadLivenessModel, openDevice } from "twingrad/node";
 *
 * const livenessModel = await loadLivenessModel(await openDevice(), "liveness-model/");
 * ```
 */
export function loadLivenessModel(device: Device, path: string, options?: LoadOptions): Promise<LivenessModel>;
/** @deprecated The former order: pass the device first. */
export function loadLivenessModel(path: string, device: Device, options?: LoadOptions): Promise<LivenessModel>;
export async function loadLivenessModel(...given: LoadArguments): Promise<LivenessModel> {
  const { device, path, options } = inOrder(given);
  return naming(path, async () => LivenessModel.open(device, await readWarning(path, options)));
}

type LoadArguments = [Device, string, LoadOptions?] | [string, Device, LoadOptions?];

function inOrder([first, second, options]: LoadArguments) {
  const [device, path] = typeof first === "string" ? [second as Device, first] : [first, second as string];
  return { device, path, options };
}

async function readWarning(path: string, options: LoadOptions = {}) {
  checkOptions("loadModel", options, { warn: "function" });
  const { warn = (text) => console.warn(text) } = options;
  const bytes = await readModelFile(path);
  const older = await olderThanItsFolder(await modelFileOf(path));
  if (older) warn(older);
  return bytes;
}

/** The task that a model was trained for. Errors name the path. */
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

/** The bytes of a model file, or of `model.safetensors` in a folder. */
export async function readModelFile(path: string): Promise<Uint8Array> {
  const found = await statOf(path);
  if (!found) throw new TwingradError("BAD_INPUT", `${path}: model not found`);
  const file = await modelFileOf(path);
  if (found.isDirectory() && !(await statOf(file))) {
    const checkpoints = join(path, checkpointsFolder);
    const what = (await statOf(checkpoints))
      ? `its training has not ended: continue it with --resume, or name one of ${checkpoints}`
      : `there is no ${modelFile} in this folder`;
    throw new TwingradError("BAD_INPUT", `${path}: ${what}`);
  }
  return readFile(file).catch((error: Error) => {
    throw diskError(file, "read", error);
  });
}
