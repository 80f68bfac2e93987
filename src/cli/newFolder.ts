// A new folder of pictures: all of them, or none after an interruption or an error, so that the command can run again.
import { readdir, rm, rmdir } from "node:fs/promises";
import { join } from "node:path";
import { TwingradError } from "../index.ts";
import { diskError, makeFolder } from "../internal.ts";
import { interruptible } from "./interrupt.ts";
import { note } from "./outcome.ts";

/** @throws BAD_INPUT for a folder with anything in it. */
export async function refuseFull(folder: string): Promise<void> {
  const present = await readdir(folder).catch((error: NodeJS.ErrnoException) => {
    if (error.code === "ENOENT") return [];
    throw diskError(folder, "read", error);
  });
  if (present.length > 0) {
    throw new TwingradError("BAD_INPUT", `${folder}: the folder is not empty; expected a new or empty folder`);
  }
}

/**
 * Runs `work`, which writes into these folders of `folder` and returns when its signal is aborted. After an
 * interruption or an error, everything that it wrote is removed; after an interruption the result is undefined.
 */
export async function fillFolder<T>(
  folder: string,
  parts: readonly string[],
  work: (signal: AbortSignal) => Promise<T>,
): Promise<{ result?: T; status?: number }> {
  const made = await makeFolder(folder);
  const filling = async (signal: AbortSignal) => {
    let result: T | undefined;
    try {
      const worked = await work(signal);
      if (!signal.aborted) result = worked;
      return result;
    } finally {
      if (result === undefined) {
        for (const part of parts) await rm(join(folder, part), { recursive: true, force: true });
        if (made !== undefined) await rmdir(folder).catch(() => undefined); // something else is in it
      }
    }
  };
  return interruptible(filling, note, "stopping, and removing the pictures written so far");
}

export const interrupted = { result: { interrupted: true }, text: "interrupted: nothing was written" } as const;
