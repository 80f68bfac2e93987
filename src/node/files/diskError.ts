// Errors of a disk by reason. A wrong path is another error: a program can wait for space, but not for a folder.
import type { Stats } from "node:fs";
import { stat } from "node:fs/promises";
import { DiskError, type DiskReason, TwingradError } from "../../errors.ts";

/** The caller named something that does not exist, or something of the wrong kind. */
const misnamed = new Set(["ENOENT", "ENOTDIR", "EISDIR", "ENOTEMPTY", "EEXIST", "ENAMETOOLONG", "EINVAL", "ELOOP"]);

const roomIsNeeded = { reason: "full", cure: "; free some space there" } as const;
const rightIsNeeded = { reason: "denied", cure: "; give this user the permission" } as const;
const isInUse = { reason: "busy", cure: "; close the program that has it open" } as const;

const known: Readonly<Record<string, { readonly reason: DiskReason; readonly cure: string }>> = {
  ENOSPC: roomIsNeeded,
  EDQUOT: roomIsNeeded,
  EACCES: rightIsNeeded,
  EPERM: rightIsNeeded,
  EROFS: { reason: "denied", cure: "; choose a writable place" },
  EBUSY: isInUse,
  ETXTBSY: isInUse,
};

/**
 * `DISK` with the system's message and what to do, such as "DIR/log.csv: cannot be written: ENOSPC ...; free some space
 * there"; `BAD_INPUT` for a wrong path.
 */
export function diskError(path: string, what: string, error: NodeJS.ErrnoException): TwingradError {
  const { code = "" } = error;
  const message = `${path}: cannot be ${what}: ${error.message}`;
  if (misnamed.has(code)) return new TwingradError("BAD_INPUT", message, { cause: error });
  const { reason, cure } = known[code] ?? { reason: "other", cure: "" };
  return new DiskError(reason, message + cure, { cause: error });
}

/** What is at a path; undefined if nothing is. @throws DISK if a folder on the way may not be read. */
export function statOf(path: string): Promise<Stats | undefined> {
  return stat(path).catch((error: NodeJS.ErrnoException) => {
    if (error.code === "ENOENT" || error.code === "ENOTDIR") return undefined;
    throw diskError(path, "read", error);
  });
}
