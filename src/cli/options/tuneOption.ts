// --no-tune, and the device options for it.
import type { Command } from "commander";
import type { TuningOptions } from "../../index.ts";
import { fileTuningStore } from "../../node/index.ts";
import { note, warn } from "../outcome.ts";

/** Gives a command `--no-tune`; its flags then hold `tune`. */
export function tunable(command: Command): Command {
  return command.option(
    "--no-tune",
    "choose kernels by heuristics; by default, equivalent kernels are timed once on this adapter, and the results are stored in the user's cache folder",
  );
}

/** The device options for these flags. */
export function tuningOf({ tune }: { tune?: boolean }): { tuning?: TuningOptions } {
  if (!tune) return {};
  const onTiming = (open: number) =>
    note(`timing kernels on this adapter, once: ${open} choices (skip with --no-tune)`);
  return { tuning: { store: fileTuningStore(), warn: (text) => warn(`twingrad: ${text}`), onTiming } };
}
