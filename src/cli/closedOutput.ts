// Closed or full output streams: `| head` has read enough, a log's disk is full. The work continues.

/**
 * From now on, a failed write does not end the process. Returns a function for the error of standard output: undefined
 * after success, or if the reader closed the pipe.
 */
export function tolerateClosedOutput(): () => Error | undefined {
  let failed: NodeJS.ErrnoException | undefined;
  process.stdout.on("error", (error) => {
    failed ??= error;
  });
  process.stderr.on("error", () => {}); // there is nowhere left to report it
  return () => (failed?.code === "EPIPE" || failed?.code === "ERR_STREAM_DESTROYED" ? undefined : failed);
}
