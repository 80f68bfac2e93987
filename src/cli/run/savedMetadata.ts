// Entries that the command line adds to a model file's metadata, as JSON.
import { TwingradError } from "../../index.ts";
import type { Safetensors } from "../../internal.ts";

/** The entry under `key`; undefined where it is missing. @throws CORRUPT_FILE unless `wanted` parses it. */
export function readSaved<T>(
  { metadata }: Pick<Safetensors, "metadata">,
  key: string,
  wanted: { parse(value: unknown): T },
): T | undefined {
  const text = metadata[key];
  if (text === undefined) return undefined;
  try {
    return wanted.parse(JSON.parse(text));
  } catch (error) {
    throw new TwingradError("CORRUPT_FILE", `invalid metadata "${key}" in the model: ${text.slice(0, 200)}`, {
      cause: error,
    });
  }
}
