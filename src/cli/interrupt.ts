// Ctrl-C and SIGTERM: the first asks for a checkpoint and an end, the second ends the process at once.
import { constants } from "node:os";

/** The exit status of a process that a signal ended: 130 for Ctrl-C, 143 for SIGTERM. */
export const statusOf = (signal: "SIGINT" | "SIGTERM") => 128 + constants.signals[signal];

/**
 * Runs `work` with an AbortSignal that the first SIGINT or SIGTERM aborts; the second ends the process at once. `status`
 * is the exit status after an interruption, else undefined.
 */
export async function interruptible<T>(
  work: (signal: AbortSignal) => Promise<T>,
  tell: (text: string) => void,
  stopping = "stopping after the current steps, to save a checkpoint",
): Promise<{ result: T; status?: number }> {
  const controller = new AbortController();
  let status: number | undefined;
  const stop = (signal: "SIGINT" | "SIGTERM") => {
    if (status !== undefined) {
      process.stderr.write("\x1b[?25h"); // a progress bar hides the cursor
      process.exit(statusOf(signal));
    }
    status = statusOf(signal);
    tell(`${stopping}; press Ctrl-C again to end at once`);
    controller.abort();
  };
  process.on("SIGINT", stop).on("SIGTERM", stop);
  try {
    return { result: await work(controller.signal), status };
  } finally {
    process.off("SIGINT", stop).off("SIGTERM", stop);
  }
}
