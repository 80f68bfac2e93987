// Finds the state in a run's folder to resume from.

import { rename, rm, stat } from "node:fs/promises";
import { join } from "node:path";
import { Checkpoints, type Dataset, type TuningOptions, TwingradError } from "../../index.ts";
import {
  checkpointsFolder,
  diskError,
  modelFile,
  openSaved,
  readModelFile,
  removeParts,
  type SavedModel,
} from "../../internal.ts";
import { diskFolder } from "../../node/index.ts";
import type { Ranks } from "./ranks.ts";
import { type RunIdentity, runIdentity } from "./runIdentity.ts";
import { peopleDigest, type RunState, runState, type TrainingRecord, trainingRecord } from "./runRecord.ts";

/** The checkpoints of the run in a folder. */
export function checkpointsIn(
  folder: string,
  options: { keep?: number; isOwn?: (saved: SavedModel) => boolean } = {},
): Checkpoints {
  return new Checkpoints(diskFolder(join(folder, checkpointsFolder)), options);
}

export interface SavedRun extends SavedModel, RunState {
  readonly bytes: Uint8Array;
  readonly record: TrainingRecord;
  /** Undefined in a finished model, or in a file of an earlier version. */
  readonly run?: RunIdentity;
}

/**
 * The newest valid state of the run in a folder: a checkpoint, or else its model. Undefined if nothing was saved yet. Call
 * `checkData` to compare its data.
 * @param tell called with the files that were skipped, and why.
 * @throws CHECKPOINT_MISMATCH if no training run wrote it, CORRUPT_FILE if no file in the folder is valid.
 */
export async function savedRun(folder: string, tell: (text: string) => void): Promise<SavedRun | undefined> {
  if (!(await exists(folder))) throw new TwingradError("BAD_INPUT", `${folder}: there is no model to resume`);
  const { found, refused } = await checkpointsIn(folder).newest();
  for (const { name, reason } of refused) tell(`${join(folder, checkpointsFolder, name)} is skipped: ${reason}`);
  if (refused.length > 0 && found) tell(`resuming from ${found.name}, the newest valid checkpoint`);
  const saved = found ?? (await savedModel(folder));
  if (!saved) {
    if (refused.length === 0) return undefined;
    throw new TwingradError("CORRUPT_FILE", `${folder}: all checkpoints are corrupt`);
  }
  return runOf(folder, saved);
}

function runOf(folder: string, saved: SavedModel & { readonly bytes: Uint8Array }): SavedRun {
  const record = trainingRecord(saved.file);
  if (!record) throw new TwingradError("CHECKPOINT_MISMATCH", `${folder}: this model has no training record`);
  return { ...saved, record, run: runIdentity(saved.file), ...runState(saved.file) };
}

/** The saved run on every rank of a distributed run; only rank 0 reads the folder. */
export async function sharedRun(
  ranks: Ranks,
  folder: string,
  tell: (text: string) => void,
): Promise<SavedRun | undefined> {
  const own = ranks.first ? await savedRun(folder, tell) : undefined;
  const bytes = await ranks.shareBytes(own?.bytes);
  return own ?? (bytes && runOf(folder, { bytes, ...(await openSaved(bytes)) }));
}

/** @throws CHECKPOINT_MISMATCH if these are not the data of the run to resume. */
export function checkData({ record }: SavedRun, data: { path: string; dataset: Dataset }): void {
  if (record.people === peopleDigest(data.dataset) && record.pictures === data.dataset.items.length) return;
  throw new TwingradError(
    "CHECKPOINT_MISMATCH",
    `${data.path}: these are not the pictures that the run to resume was trained on`,
  );
}

/** The device options of a resumed run: the kernels that it started with, because its losses depend on them. */
export function kernelsOf({ kernels }: SavedRun, tell: (text: string) => void): { tuning: TuningOptions } {
  const store = { load: async () => kernels, save: async () => undefined };
  const warn = (text: string) =>
    tell(`${text} From here on, losses may differ in their last bits from an uninterrupted run's.`);
  return { tuning: { store, time: false, warn } };
}

async function savedModel(folder: string): Promise<(SavedModel & { bytes: Uint8Array }) | undefined> {
  const path = join(folder, modelFile);
  if (!(await exists(path))) return undefined;
  const bytes = new Uint8Array(await readModelFile(path));
  try {
    return { bytes, ...(await openSaved(bytes)) };
  } catch (error) {
    const { code, message } = error as TwingradError;
    throw new TwingradError(code, `${path}: ${message}`, { cause: error });
  }
}

/** Moves the checkpoints of an earlier run aside, so that they cannot be mistaken for the new run's. */
export async function clearForNewRun(folder: string, tell: (text: string) => void): Promise<void> {
  const path = join(folder, checkpointsFolder);
  if ((await checkpointsIn(folder).list()).length === 0) return;
  const aside = `${path}.old`;
  try {
    await rm(aside, { recursive: true, force: true });
    await rename(path, aside);
  } catch (error) {
    throw diskError(path, "moved aside", error as Error);
  }
  tell(`${path} contained checkpoints of an earlier run: moved them to ${aside} (use --resume to continue a run)`);
}

/** Removes the partial files of a process that was killed during a save. */
export async function clearAfterKill(folder: string): Promise<void> {
  await removeParts(folder);
  await removeParts(join(folder, checkpointsFolder));
}

export const exists = (path: string) =>
  stat(path).then(
    () => true,
    () => false,
  );
