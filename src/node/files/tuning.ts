// Tuning tables on disk: one file for each adapter, package version and set of kernels.
import { createHash } from "node:crypto";
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import envPaths from "env-paths";
import { TwingradError } from "../../errors.ts";
import { textOf } from "../../formats/textBytes.ts";
import { mergeTuning, parseTuningTable } from "../../formats/tuningTable.ts";
import type { TuningStore } from "../../gpu/tunerTable.ts";
import { readText } from "./textFiles.ts";
import { updateFile } from "./updateFile.ts";

/** The user's cache folder: `~/.cache/twingrad` (or below `XDG_CACHE_HOME`), `~/Library/Caches`, `%LOCALAPPDATA%`. */
export const tuningFolder = (): string => join(envPaths("twingrad", { suffix: "" }).cache, "tuning");

/**
 * Stores tuning tables in a folder, by default the user's cache folder:
 * `openDevice({ tuning: { store: fileTuningStore() } })`.
 * @example
 * ```ts
 * import { fileTuningStore, openDevice } from "twingrad/node";
 *
 * const device = await openDevice({ tuning: { store: fileTuningStore() } });
 * ```
 */
export function fileTuningStore(folder = tuningFolder()): TuningStore {
  return {
    async load(key) {
      const path = join(folder, fileName(key));
      let text: string;
      try {
        text = await readText(path);
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
        throw error;
      }
      try {
        return parseTuningTable(JSON.parse(text));
      } catch (error) {
        throw new TwingradError("CORRUPT_FILE", `${path}: ${(error as Error).message}`, { cause: error });
      }
    },
    async save(key, table) {
      await mkdir(folder, { recursive: true });
      // Another process may have extended the file since this one loaded it.
      await updateFile(join(folder, fileName(key)), async (present) => {
        return `${JSON.stringify(mergeTuning(jsonOrNothing(present), table), null, 1)}\n`;
      });
    },
  };
}

function jsonOrNothing(bytes: Buffer | undefined): unknown {
  try {
    return bytes && JSON.parse(textOf(bytes));
  } catch {
    return undefined;
  }
}

/** A file name for a key: readable, and different for different keys. */
function fileName(key: string): string {
  const readable = key.replace(/[^A-Za-z0-9.]+/g, "-").slice(0, 60);
  return `${readable}-${createHash("sha256").update(key).digest("hex").slice(0, 16)}.json`;
}
