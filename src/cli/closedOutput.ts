// Standard output and error that are closed or full: `| head` has read enough, a log's disk is full. The work goes on.

/**
 * From now on no failure of writing ends the process. Returns what could not be written to standard output, if anything:
 * undefined where all went well, or where the reader had enough.
 */
export function tolerateClosedOutput(): () => Error | undefined {
  let failed: NodeJS.ErrnoException | undefined;
  process.stdout.on("error", (error) => {
    failed ??= error;
  });
  process.stderr.on("error", () => {}); // nowhere is left to tell it
  return () => (failed?.code === "EPIPE" || failed?.code === "ERR_STREAM_DESTROYED" ? undefined : failed);
}
