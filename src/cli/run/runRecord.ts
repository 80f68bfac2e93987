// The training record in a checkpoint: configuration, data and progress.

import { createHash } from "node:crypto";
import { z } from "zod";
import { type Dataset, type TuningTable, TwingradError } from "../../index.ts";
import {
  decode,
  groupsOf,
  nothingSelected,
  parseTuningTable,
  type Safetensors,
  withPresentNames,
} from "../../internal.ts";
import { changeable, defaults } from "../options/settings.ts";
import { type ResolvedSettings, resolved } from "../options/settingsSchema.ts";
import { readSaved } from "./savedMetadata.ts";

const digest = z.string().regex(/^[0-9a-f]{64}$/);

/** Settings that older files lack have their default value. */
const { epochs: _, ...fallbacks } = defaults;

const schema = z
  .object({
    settings: z.record(z.string(), z.unknown()),
    people: digest,
    pictures: z.number().int().min(1),
    /** The groups of --group-by in the training part, if there was a rule. */
    groups: z.array(z.string()).optional(),
    /** Digest of everything above that affects the losses. Absent in files of earlier versions. */
    configuration: digest.optional(),
  })
  .refine((saved) => saved.configuration === undefined || saved.configuration === configurationDigest(saved), {
    error: "the digest does not match the configuration",
  })
  .transform((saved) => ({
    ...saved,
    settings: resolved.parse({ ...fallbacks, ...withPresentNames(saved.settings) }),
  }));

/** The training record in a model file. */
export type TrainingRecord = z.infer<typeof schema>;

/** A run's progress, with the losses of its first and last step; null before the first step. */
const progressSchema = z.object({
  epochs: z.number().int().min(0),
  firstLoss: z.number().nullable(),
  lastLoss: z.number().nullable(),
  /** Absent in files of earlier versions. */
  selection: z
    .object({
      best: z.object({ step: z.number().int().min(0), auc: z.number() }).optional(),
      since: z.number().int().min(0),
    })
    .default(nothingSelected),
});

export type RunProgress = z.infer<typeof progressSchema>;

const keys = { record: "training", stream: "stream", progress: "progress", kernels: "kernels", kept: "kept" } as const;

/** A digest of the set of names, to recognize the training data without storing names. */
export function peopleDigest(dataset: Dataset): string {
  return sha256([...dataset.identities].sort());
}

/** @param training the training part of the dataset. */
export function recordOf(settings: ResolvedSettings, dataset: Dataset, training = dataset): TrainingRecord {
  const saved = { settings, people: peopleDigest(dataset), pictures: dataset.items.length };
  const groups = settings.groupBy === undefined ? undefined : groupsOf(training);
  return { ...saved, ...(groups && { groups }), configuration: configurationDigest(saved) };
}

/** Runs with equal digests have the same losses on the same adapter; changeable settings and the preset are left out. */
function configurationDigest({ settings, people, pictures }: { settings: object; people: string; pictures: number }) {
  const decisive = Object.entries(settings).filter(
    ([key, value]) => key !== "preset" && !changeable.has(key) && value !== undefined,
  );
  return sha256({ settings: Object.fromEntries(decisive.sort(([a], [b]) => (a < b ? -1 : 1))), people, pictures });
}

/** The state of a run besides the weights. */
export interface RunState {
  /** The state of the data stream. */
  readonly stream: unknown;
  readonly progress: RunProgress;
  /** The kernels of the training step. */
  readonly kernels: TuningTable;
}

/** The metadata of a checkpoint. */
export function runMetadata(record: TrainingRecord, { stream, progress, kernels }: RunState): Record<string, string> {
  return {
    [keys.record]: JSON.stringify(record),
    [keys.stream]: JSON.stringify(stream),
    [keys.progress]: JSON.stringify(progress),
    [keys.kernels]: JSON.stringify(kernels),
  };
}

/** The part of a checkpoint's metadata that depends on its evaluation. */
export function progressMetadata(progress: RunProgress): Record<string, string> {
  return { [keys.progress]: JSON.stringify(progress) };
}

/** Which state of a finished run its model is. */
const keptSchema = z.object({
  which: z.enum(["best", "last"]),
  step: z.number().int().min(0),
  /** Number of steps of the run. */
  of: z.number().int().min(0),
});

export type Kept = z.infer<typeof keptSchema>;

export function keptMetadata(kept: Kept): Record<string, string> {
  return { [keys.kept]: JSON.stringify(kept) };
}

/** Undefined in files of unfinished runs and of earlier versions. */
export function keptOf(file: Safetensors): Kept | undefined {
  return readSaved(file, keys.kept, keptSchema);
}

/**
 * The training record in a model file; undefined if another program wrote the file.
 * @throws CORRUPT_FILE for an invalid record.
 */
export function trainingRecord(file: Safetensors | Uint8Array): TrainingRecord | undefined {
  return readSaved(file instanceof Uint8Array ? decode(file) : file, keys.record, schema);
}

/** The state of a checkpoint's run. @throws CHECKPOINT_MISMATCH if the file has none. */
export function runState(file: Safetensors): RunState {
  const progress = readSaved(file, keys.progress, progressSchema);
  const stream = readSaved(file, keys.stream, z.unknown());
  const kernels = readSaved(file, keys.kernels, { parse: parseTuningTable });
  if (!progress || !stream || !kernels) {
    throw new TwingradError(
      "CHECKPOINT_MISMATCH",
      "this model has no training state, like models of earlier versions: it can be used, but its training cannot be resumed",
    );
  }
  return { stream, progress, kernels };
}

function sha256(value: unknown): string {
  return createHash("sha256").update(JSON.stringify(value)).digest("hex");
}
