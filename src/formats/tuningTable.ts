// Validates stored tuning tables, which come from a disk or a browser's database and may be corrupt.
import * as z from "zod/mini";
import { TwingradError } from "../errors.ts";
import type { TuningTable } from "../gpu/tunerTable.ts";

const text = z.string();
const choice = z.object({
  candidate: text,
  microseconds: z.record(text, z.nullable(z.number().check(z.nonnegative()))),
  differences: z.optional(z.record(text, z.nullable(z.number().check(z.nonnegative())))),
  refused: z.optional(z.record(text, text)),
});
const table = z.object({
  format: z.literal([1, 2]),
  adapter: text,
  version: text,
  shaders: text,
  choices: z.record(text, choice),
});

/**
 * A table with the stored choices added, where the stored table is for the same adapter, version and kernels. An
 * invalid one is replaced, and its choices are timed again.
 */
export function mergeTuning(stored: unknown, added: TuningTable): TuningTable {
  const { data } = table.safeParse(stored);
  const isOfTheSame = (["format", "adapter", "version", "shaders"] as const).every((key) => data?.[key] === added[key]);
  return data && isOfTheSame ? { ...added, choices: { ...data.choices, ...added.choices } } : added;
}

/** Throws `CORRUPT_FILE` with the path of the first error in the table. */
export function parseTuningTable(value: unknown): TuningTable {
  const parsed = table.safeParse(value);
  if (parsed.success) return parsed.data;
  const [{ path, message }] = parsed.error.issues;
  throw new TwingradError("CORRUPT_FILE", `Invalid tuning table: ${[...path, message].join(": ")}`);
}
