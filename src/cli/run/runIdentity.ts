// Which run a checkpoint belongs to, and what data it was made of. A finished model says nothing of both: the same run on the
// same data gives the same file.

import { randomUUID } from "node:crypto";
import { z } from "zod";
import { TwingradError } from "../../index.ts";
import type { Safetensors } from "../../internal.ts";

const digest = z.string().regex(/^[0-9a-f]{64}$/);

/** Digests of what the data are; they hold nobody's name. */
const fingerprintSchema = z.object({
  /** A folder of pictures, or record files: sizes and times of one tell nothing of the other. */
  kind: z.enum(["folder", "records"]),
  /** Of the names and sizes of the files. */
  sizes: digest,
  /** Of the times when they were written. */
  times: digest,
  /** Of every picture's bytes, where that was asked for. */
  contents: digest.optional(),
});

export type DataFingerprint = z.infer<typeof fingerprintSchema>;

const schema = z.object({ id: z.uuid(), data: fingerprintSchema.optional() });

/** Made when a run begins, and kept by those that resume it. */
export type RunIdentity = z.infer<typeof schema>;

const key = "run";

export const newRun = (data?: DataFingerprint): RunIdentity => ({ id: randomUUID(), data });

export const identityMetadata = (run: RunIdentity): Record<string, string> => ({ [key]: JSON.stringify(run) });

/** Takes the identity out of a file. */
export const withoutIdentity = { [key]: undefined };

/** Undefined in finished models, and in files saved before there was one. @throws CORRUPT_FILE for one that is broken. */
export function runIdentity({ metadata }: Safetensors): RunIdentity | undefined {
  const text = metadata[key];
  if (text === undefined) return undefined;
  try {
    return schema.parse(JSON.parse(text));
  } catch (error) {
    throw new TwingradError("CORRUPT_FILE", `the model's metadata "${key}" is broken: ${text.slice(0, 200)}`, {
      cause: error,
    });
  }
}
