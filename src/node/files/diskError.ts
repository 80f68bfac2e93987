// Errors of a disk by reason. A wrong path is another error: a program can wait for space, but not for a folder.
import type { Stats } from "node:fs";
import { mkdir, stat } from "node:fs/promises";
import { dirname, resolve } from "node:path";
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
  if (error instanceof TwingradError)
    return new TwingradError(error.code, `${path}: ${error.message}`, { cause: error });
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

/**
 * Makes a folder and those above it. Resolves to the first that was missing. Node's own `recursive` does not end in
 * folders of the system such as /proc.
 * @throws as `diskError`.
 */
export async function makeFolder(path: string): Promise<string | undefined> {
  const missing: string[] = [];
  for (let at = resolve(path); !(await statOf(at)); at = dirname(at)) missing.unshift(at);
  try {
    if (missing.length === 0) await mkdir(path, { recursive: true }); // refuses a file
    for (const folder of missing) {
      await mkdir(folder).catch((error: NodeJS.ErrnoException) => {
        if (error.code !== "EEXIST") throw error; // another process was faster
      });
    }
  } catch (error) {
    throw diskError(path, "made", error as Error);
  }
  return missing[0];
}

/** What is at a path; undefined if nothing is. @throws DISK if a folder on the way may not be read. */
export function statOf(path: string): Promise<Stats | undefined> {
  return stat(path).catch((error: NodeJS.ErrnoException) => {
    if (error.code === "ENOENT" || error.code === "ENOTDIR") return undefined;
    throw diskError(path, "read", error);
  });
}
