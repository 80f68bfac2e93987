// What a disk refuses: told apart from a name that leads nowhere, since a program can wait for room but not for a folder.
import { TwingradError } from "../gpu/errors.ts";

/** The caller named something that is not there, or not of the kind that it must be. */
const misnamed = new Set(["ENOENT", "ENOTDIR", "EISDIR", "ENOTEMPTY", "EEXIST", "ENAMETOOLONG", "EINVAL"]);

/** `DISK` with the system's words, as "DIR/log.csv: cannot be written: ENOSPC ..."; `BAD_INPUT` for a wrong name. */
export function diskError(path: string, what: string, error: NodeJS.ErrnoException): TwingradError {
  const code = misnamed.has(error.code ?? "") ? "BAD_INPUT" : "DISK";
  return new TwingradError(code, `${path}: cannot be ${what}: ${error.message}`, { cause: error });
}
