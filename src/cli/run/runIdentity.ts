// Which run and data a checkpoint belongs to. A finished model has neither: the same run on the same data gives the same
// file.

import { randomUUID } from "node:crypto";
import { z } from "zod";
import type { Safetensors } from "../../internal.ts";
import { readSaved } from "./savedMetadata.ts";

const digest = z.string().regex(/^[0-9a-f]{64}$/);

/** Digests of the data; they reveal no names. */
const fingerprintSchema = z.object({
  /** A folder of pictures, or record files: their sizes and times are not comparable. */
  kind: z.enum(["folder", "records"]),
  /** Digest of the names and sizes of the files. */
  sizes: digest,
  /** Digest of their modification times. */
  times: digest,
  /** Digest of every picture's bytes, with --check-data contents. */
  contents: digest.optional(),
});

export type DataFingerprint = z.infer<typeof fingerprintSchema>;

const schema = z.object({ id: z.uuid(), data: fingerprintSchema.optional() });

/** Created when a run starts, and kept when it is resumed. */
export type RunIdentity = z.infer<typeof schema>;

const key = "run";

export const newRun = (data?: DataFingerprint): RunIdentity => ({ id: randomUUID(), data });

export const identityMetadata = (run: RunIdentity): Record<string, string> => ({ [key]: JSON.stringify(run) });

/** Metadata that removes the identity from a file. */
export const withoutIdentity = { [key]: undefined };

/** Undefined in finished models, and in files of earlier versions. @throws CORRUPT_FILE for an invalid one. */
export const runIdentity = (file: Safetensors): RunIdentity | undefined => readSaved(file, key, schema);
