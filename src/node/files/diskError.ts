// What a disk refuses: told apart from a name that leads nowhere, since a program can wait for room but not for a folder.
import { DiskError, type DiskReason, TwingradError } from "../../errors.ts";

/** The caller named something that is not there, or not of the kind that it must be. */
const misnamed = new Set(["ENOENT", "ENOTDIR", "EISDIR", "ENOTEMPTY", "EEXIST", "ENAMETOOLONG", "EINVAL", "ELOOP"]);

const reasons: Readonly<Record<string, DiskReason>> = {
  ENOSPC: "full",
  EDQUOT: "full",
  EACCES: "denied",
  EPERM: "denied",
  EROFS: "denied",
  EBUSY: "busy",
  ETXTBSY: "busy",
};

/** `DISK` with the system's words, as "DIR/log.csv: cannot be written: ENOSPC ..."; `BAD_INPUT` for a wrong name. */
export function diskError(path: string, what: string, error: NodeJS.ErrnoException): TwingradError {
  const { code = "" } = error;
  const message = `${path}: cannot be ${what}: ${error.message}`;
  if (misnamed.has(code)) return new TwingradError("BAD_INPUT", message, { cause: error });
  return new DiskError(reasons[code] ?? "other", message, { cause: error });
}
