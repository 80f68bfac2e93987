// Ctrl-C, and the polite way to end a process: the first asks for a checkpoint and an end, the second for the end alone.
import { constants } from "node:os";

/** What a process that a signal ended leaves: 130 for Ctrl-C, 143 for SIGTERM. */
export const statusOf = (signal: "SIGINT" | "SIGTERM") => 128 + constants.signals[signal];

/**
 * Does `work`, which gets a signal that is set by the first SIGINT or SIGTERM; the second ends the process at once.
 * Returns the exit status that such an end has, undefined where there was none.
 */
export async function interruptible<T>(
  work: (signal: AbortSignal) => Promise<T>,
  tell: (text: string) => void,
  stopping = "stopping after the steps under way, to save them",
): Promise<{ result: T; status?: number }> {
  const controller = new AbortController();
  let status: number | undefined;
  const stop = (signal: "SIGINT" | "SIGTERM") => {
    if (status !== undefined) {
      process.stderr.write("\x1b[?25h"); // a progress bar hides the cursor
      process.exit(statusOf(signal));
    }
    status = statusOf(signal);
    tell(`${stopping}; once more ends at once`);
    controller.abort();
  };
  process.on("SIGINT", stop).on("SIGTERM", stop);
  try {
    return { result: await work(controller.signal), status };
  } finally {
    process.off("SIGINT", stop).off("SIGTERM", stop);
  }
}
