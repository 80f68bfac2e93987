// What a disk refuses: told apart from a name that leads nowhere, since a program can wait for room but not for a folder.
import type { Stats } from "node:fs";
import { stat } from "node:fs/promises";
import { DiskError, type DiskReason, TwingradError } from "../../errors.ts";

/** The caller named something that is not there, or not of the kind that it must be. */
const misnamed = new Set(["ENOENT", "ENOTDIR", "EISDIR", "ENOTEMPTY", "EEXIST", "ENAMETOOLONG", "EINVAL", "ELOOP"]);

const roomIsNeeded = { reason: "full", cure: "; make room there" } as const;
const rightIsNeeded = { reason: "denied", cure: "; give this user the right to it" } as const;
const isInUse = { reason: "busy", cure: "; close what has it open" } as const;

const known: Readonly<Record<string, { readonly reason: DiskReason; readonly cure: string }>> = {
  ENOSPC: roomIsNeeded,
  EDQUOT: roomIsNeeded,
  EACCES: rightIsNeeded,
  EPERM: rightIsNeeded,
  EROFS: { reason: "denied", cure: "; choose a place that can be written" },
  EBUSY: isInUse,
  ETXTBSY: isInUse,
};

/**
 * `DISK` with the system's words and what to do, as "DIR/log.csv: cannot be written: ENOSPC ...; make room there";
 * `BAD_INPUT` for a wrong name.
 */
export function diskError(path: string, what: string, error: NodeJS.ErrnoException): TwingradError {
  const { code = "" } = error;
  const message = `${path === "" ? '""' : path}: cannot be ${what}: ${inWords(path, what, error)}`;
  if (misnamed.has(code)) return new TwingradError("BAD_INPUT", message, { cause: error });
  const { reason, cure } = known[code] ?? { reason: "other", cure: "" };
  return new DiskError(reason, message + cure, { cause: error });
}

/** The system's words, or better ones for what is easily mistaken. */
function inWords(path: string, what: string, { code, message }: NodeJS.ErrnoException): string {
  if (path === "") return "the path is empty";
  if (code === "EISDIR") return "it is a folder; a file was expected";
  if (code === "EEXIST" && what === "made") return "it is a file; choose a folder, or a new name";
  return message;
}

/** What is at a path; undefined where nothing is. @throws DISK where that cannot be told: a folder on the way is closed. */
export function statOf(path: string): Promise<Stats | undefined> {
  return stat(path).catch((error: NodeJS.ErrnoException) => {
    if (error.code === "ENOENT" || error.code === "ENOTDIR") return undefined;
    throw diskError(path, "read", error);
  });
}
