// --no-tune, and how a device is opened with it.
import type { Command } from "commander";
import type { TuningOptions } from "../../index.ts";
import { fileTuningStore } from "../../node/index.ts";
import { note, warn } from "../outcome.ts";

/** Gives a command `--no-tune`; its flags then hold `tune`. */
export function tunable(command: Command): Command {
  return command.option(
    "--no-tune",
    "choose kernels by rules of thumb; by default those that compute the same are timed once on this adapter, and the table is kept in the user's cache folder",
  );
}

/** How to open a device with these flags. */
export function tuningOf({ tune }: { tune?: boolean }): { tuning?: TuningOptions } {
  if (!tune) return {};
  const onTiming = (open: number) => note(`timing kernels on this adapter, once: ${open} choices (--no-tune skips it)`);
  return { tuning: { store: fileTuningStore(), warn: (text) => warn(`twingrad: ${text}`), onTiming } };
}
