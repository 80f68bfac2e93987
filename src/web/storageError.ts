// What a browser's storage refuses, by why: no room, no right, in use. A program can wait for each, but in another way.
// Names of the exceptions: https://fs.spec.whatwg.org and https://webidl.spec.whatwg.org/#idl-DOMException-error-names
import { DiskError, type DiskReason, TwingradError } from "../errors.ts";

/** The caller named something that is not there, not of the kind that it must be, or that no file can be called. */
const misnamed = new Set(["NotFoundError", "TypeMismatchError", "InvalidModificationError", "TypeError"]);

const reasons: Readonly<Record<string, DiskReason>> = {
  QuotaExceededError: "full",
  NotAllowedError: "denied",
  SecurityError: "denied",
  NoModificationAllowedError: "busy",
};

/** In a browser's own words nothing says what to do. */
const advice: Readonly<Record<DiskReason, string>> = {
  full: "what the browser gives this origin is used up, or the disk is full: remove what is no longer needed",
  denied: "the page may not use this storage: site data are blocked, or it is in a sandboxed frame",
  busy: "another tab or worker has it open",
  other: "the browser gives no other reason",
};

/** `DISK` with the reason and the browser's words; `BAD_INPUT` for a wrong name. */
export function storageError(path: string, what: string, error: Error): TwingradError {
  const message = `${path}: cannot be ${what}: ${error.message.replace(/\.$/, "")}`;
  if (misnamed.has(error.name)) return new TwingradError("BAD_INPUT", message, { cause: error });
  const reason = reasons[error.name] ?? "other";
  return new DiskError(reason, `${message} (${error.name}); ${advice[reason]}`, { cause: error });
}
