// What a checkpoint says of the run that made it: the configuration, the data, how far it had come.

import { createHash } from "node:crypto";
import { z } from "zod";
import { type Dataset, type TuningTable, TwingradError } from "../../index.ts";
import { decode, groupsOf, nothingSelected, parseTuningTable, type Safetensors } from "../../internal.ts";
import { changeable, defaults } from "../options/settings.ts";
import { type ResolvedSettings, resolved } from "../options/settingsSchema.ts";

const digest = z.string().regex(/^[0-9a-f]{64}$/);

/** Settings that came later have in older files the value that was the only one then: the default. */
const { epochs: _, ...fallbacks } = defaults;

const schema = z
  .object({
    settings: z.record(z.string(), z.unknown()),
    people: digest,
    pictures: z.number().int().min(1),
    /** What they were trained on of the groups of --group-by, where there was a rule. */
    groups: z.array(z.string()).optional(),
    /** Of all above that decides the run's losses. Absent in files saved before there was one. */
    configuration: digest.optional(),
  })
  .refine((saved) => saved.configuration === undefined || saved.configuration === configurationDigest(saved), {
    error: "the digest is of another configuration",
  })
  .transform((saved) => ({ ...saved, settings: resolved.parse({ ...fallbacks, ...saved.settings }) }));

/** What a model file says of the run that made it. */
export type TrainingRecord = z.infer<typeof schema>;

/** How far a run has come; its losses are those of its first and its last step, null before any. */
const progressSchema = z.object({
  epochs: z.number().int().min(0),
  firstLoss: z.number().nullable(),
  lastLoss: z.number().nullable(),
  /** Absent in files saved before runs chose among their states. */
  selection: z
    .object({
      best: z.object({ step: z.number().int().min(0), auc: z.number() }).optional(),
      since: z.number().int().min(0),
    })
    .default(nothingSelected),
});

export type RunProgress = z.infer<typeof progressSchema>;

const keys = { record: "training", stream: "stream", progress: "progress", kernels: "kernels", kept: "kept" } as const;

/** A fingerprint of the set of names: to notice the training data without keeping anybody's name. */
export function peopleDigest(dataset: Dataset): string {
  return sha256([...dataset.identities].sort());
}

/** @param training the part of the dataset that is trained on. */
export function recordOf(settings: ResolvedSettings, dataset: Dataset, training = dataset): TrainingRecord {
  const saved = { settings, people: peopleDigest(dataset), pictures: dataset.items.length };
  const groups = settings.groupBy === undefined ? undefined : groupsOf(training);
  return { ...saved, ...(groups && { groups }), configuration: configurationDigest(saved) };
}

/** Two runs of equal digests have the same losses, on one adapter: what may change in a resumed run is left out, and where settings came from. */
function configurationDigest({ settings, people, pictures }: { settings: object; people: string; pictures: number }) {
  const decisive = Object.entries(settings).filter(
    ([key, value]) => key !== "preset" && !changeable.has(key) && value !== undefined,
  );
  return sha256({ settings: Object.fromEntries(decisive.sort(([a], [b]) => (a < b ? -1 : 1))), people, pictures });
}

/** Beside the weights all that the rest of a run depends on. */
export interface RunState {
  /** The data stream's. */
  readonly stream: unknown;
  readonly progress: RunProgress;
  /** Which kernels compute the steps. */
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

/** Of a checkpoint the part that is known once its state was evaluated. */
export function progressMetadata(progress: RunProgress): Record<string, string> {
  return { [keys.progress]: JSON.stringify(progress) };
}

/** Which of its states a finished run left as its model. */
const keptSchema = z.object({
  which: z.enum(["best", "last"]),
  step: z.number().int().min(0),
  /** Steps that the run made. */
  of: z.number().int().min(0),
});

export type Kept = z.infer<typeof keptSchema>;

export function keptMetadata(kept: Kept): Record<string, string> {
  return { [keys.kept]: JSON.stringify(kept) };
}

/** Undefined in files of unfinished runs, and in those saved before there was a choice. */
export function keptOf({ metadata }: Safetensors): Kept | undefined {
  return read(metadata, keys.kept, keptSchema);
}

/**
 * The training record in a model file; undefined where another program saved it.
 * @throws CORRUPT_FILE for one that is broken.
 */
export function trainingRecord(file: Safetensors | Uint8Array): TrainingRecord | undefined {
  const { metadata } = file instanceof Uint8Array ? decode(file) : file;
  return read(metadata, keys.record, schema);
}

/** Where the run of a checkpoint stood. @throws CHECKPOINT_MISMATCH where the file does not say. */
export function runState({ metadata }: Safetensors): RunState {
  const progress = read(metadata, keys.progress, progressSchema);
  const stream = read(metadata, keys.stream, z.unknown());
  const kernels = read(metadata, keys.kernels, { parse: parseTuningTable });
  if (!progress || !stream || !kernels) {
    throw new TwingradError(
      "CHECKPOINT_MISMATCH",
      "this model does not say where its run's data stream stood, as those of earlier versions: it can be used, but its training cannot be resumed",
    );
  }
  return { stream, progress, kernels };
}

function read<T>(metadata: Record<string, string>, key: string, wanted: { parse(value: unknown): T }): T | undefined {
  const text = metadata[key];
  if (text === undefined) return undefined;
  try {
    return wanted.parse(JSON.parse(text));
  } catch (error) {
    throw new TwingradError("CORRUPT_FILE", `the model's metadata "${key}" is broken: ${text.slice(0, 200)}`, {
      cause: error,
    });
  }
}

function sha256(value: unknown): string {
  return createHash("sha256").update(JSON.stringify(value)).digest("hex");
}
