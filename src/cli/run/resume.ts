// What a stopped run left in its folder, and where the next one goes on.

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
  /** Undefined where the file does not say: a finished model, or one of an earlier version. */
  readonly run?: RunIdentity;
}

/**
 * The newest whole state of the run in a folder: of its checkpoints, or else its model. Undefined where nothing was saved
 * yet. Whether it was made of the data at hand, `checkData` tells.
 * @param tell is told which files were passed over, and why.
 * @throws CHECKPOINT_MISMATCH when no run made it, CORRUPT_FILE when nothing in the folder is whole.
 */
export async function savedRun(folder: string, tell: (text: string) => void): Promise<SavedRun | undefined> {
  if (!(await exists(folder))) throw new TwingradError("BAD_INPUT", `${folder}: there is no such model to go on from`);
  const { found, refused } = await checkpointsIn(folder).newest();
  for (const { name, reason } of refused) tell(`${join(folder, checkpointsFolder, name)} is passed over: ${reason}`);
  if (refused.length > 0 && found) tell(`going on from ${found.name}, the newest that is whole`);
  const saved = found ?? (await savedModel(folder));
  if (!saved) {
    if (refused.length === 0) return undefined;
    throw new TwingradError("CORRUPT_FILE", `${folder}: no checkpoint in it is whole`);
  }
  return runOf(folder, saved);
}

function runOf(folder: string, saved: SavedModel & { readonly bytes: Uint8Array }): SavedRun {
  const record = trainingRecord(saved.file);
  if (!record) throw new TwingradError("CHECKPOINT_MISMATCH", `${folder}: this model does not say how it was trained`);
  return { ...saved, record, run: runIdentity(saved.file), ...runState(saved.file) };
}

/** The same on every rank of a distributed run, of which rank 0 alone looks into the folder. */
export async function sharedRun(
  ranks: Ranks,
  folder: string,
  tell: (text: string) => void,
): Promise<SavedRun | undefined> {
  const own = ranks.first ? await savedRun(folder, tell) : undefined;
  const bytes = await ranks.shareBytes(own?.bytes);
  return own ?? (bytes && runOf(folder, { bytes, ...(await openSaved(bytes)) }));
}

/** @throws CHECKPOINT_MISMATCH when these are not the data of the run to resume. */
export function checkData({ record }: SavedRun, data: { path: string; dataset: Dataset }): void {
  if (record.people === peopleDigest(data.dataset) && record.pictures === data.dataset.items.length) return;
  throw new TwingradError(
    "CHECKPOINT_MISMATCH",
    `${data.path}: these are not the pictures that the run to resume was trained on`,
  );
}

/** How to open a device for a run that goes on: with the kernels that it began with, as its losses depend on them. */
export function kernelsOf({ kernels }: SavedRun, tell: (text: string) => void): { tuning: TuningOptions } {
  const store = { load: async () => kernels, save: async () => undefined };
  const warn = (text: string) =>
    tell(`${text} From here on losses may differ in their last bits from an unbroken run's.`);
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

/** Makes way for a new run: the checkpoints of an earlier one are put aside, so that it cannot be taken for the new one. */
export async function clearForNewRun(folder: string, tell: (text: string) => void): Promise<void> {
  const path = join(folder, checkpointsFolder);
  if ((await checkpointsIn(folder).list()).length === 0) return;
  const aside = `${path}.old`;
  try {
    await rm(aside, { recursive: true, force: true });
    await rename(path, aside);
  } catch (error) {
    throw diskError(path, "put aside", error as Error);
  }
  tell(`${path} held checkpoints of an earlier run: they are in ${aside} now (--resume would have gone on from them)`);
}

/** Removes what a process that was killed in the middle of a save left. */
export async function clearAfterKill(folder: string): Promise<void> {
  await removeParts(folder);
  await removeParts(join(folder, checkpointsFolder));
}

export const exists = (path: string) =>
  stat(path).then(
    () => true,
    () => false,
  );
