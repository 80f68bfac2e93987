// Errors of a browser's storage by reason: no space, no permission, in use. Each needs a different reaction.
// Names of the exceptions: https://fs.spec.whatwg.org and https://webidl.spec.whatwg.org/#idl-DOMException-error-names
import { DiskError, type DiskReason, TwingradError } from "../errors.ts";

/** The caller named a missing file, one of the wrong kind, or an invalid name. */
const misnamed = new Set(["NotFoundError", "TypeMismatchError", "InvalidModificationError", "TypeError"]);

const reasons: Readonly<Record<string, DiskReason>> = {
  QuotaExceededError: "full",
  NotAllowedError: "denied",
  SecurityError: "denied",
  NoModificationAllowedError: "busy",
};

/** Advice, which the browser's own messages lack. */
const advice: Readonly<Record<DiskReason, string>> = {
  full: "the storage quota of this origin is exceeded, or the disk is full: remove what is no longer needed",
  denied: "the page may not use this storage: site data is blocked, or the page is in a sandboxed frame",
  busy: "another tab or worker has it open",
  other: "the browser gives no other reason",
};

/** `DISK` with the reason and the browser's message; `BAD_INPUT` for an invalid name. */
export function storageError(path: string, what: string, error: Error): TwingradError {
  const message = `${path}: cannot be ${what}: ${error.message.replace(/\.$/, "")}`;
  if (misnamed.has(error.name)) return new TwingradError("BAD_INPUT", message, { cause: error });
  const reason = reasons[error.name] ?? "other";
  return new DiskError(reason, `${message} (${error.name}); ${advice[reason]}`, { cause: error });
}
