// Locks between processes: a file beside the locked one, with its holder. Node has no flock, which does not work on
// every network disk anyway. A lock of a dead process is ignored: see `isStale`.
import { randomUUID } from "node:crypto";
import { rmSync } from "node:fs";
import { open, readFile, rm, stat } from "node:fs/promises";
import { hostname } from "node:os";
import * as z from "zod/mini";
import { DiskError } from "../../errors.ts";
import { diskError } from "./diskError.ts";
import { isSameRunning, processSpace, startTimeOf } from "./processes.ts";

const schema = z.object({
  pid: z.int().check(z.minimum(1)),
  host: z.string(),
  /** When the lock was taken. */
  since: z.iso.datetime(),
  /** The start of the process, from the system: its id may be reused later. */
  birth: z.optional(z.string()),
  /** See `processSpace`. */
  space: z.string(),
  token: z.string(),
});

export type LockHolder = z.infer<typeof schema>;

export interface LockOptions {
  /** How long to wait for a lock that another process holds. @default 0 */
  readonly waitSeconds?: number;
  /** The name of the locked thing in messages. @default the lock's name without `.lock` */
  readonly what?: string;
  /** What the holder does, as in "is being changed by process 7 on ada". */
  readonly doing: string;
  /** Called when a lock of a dead process is removed, and when waiting for a lock takes long. */
  readonly tell?: (text: string) => void;
}

const refreshSeconds = 5;
/** Age at which a lock from another machine is stale: its holder's process cannot be checked, but would refresh it. */
const silentSeconds = 60;
/** Locks of shorter waits are not worth a line. */
const quietSeconds = 2;
/** The same for a lock without content: its creator is between two system calls, or was killed there. */
const emptySeconds = 10;

const heldHere = new Set<string>();
process.on("exit", () => {
  for (const path of heldHere) rmSync(path, { force: true });
});

export class FileLock {
  private readonly timer: NodeJS.Timeout;

  private constructor(
    readonly path: string,
    private readonly text: string,
  ) {
    heldHere.add(path);
    this.timer = setInterval(() => void refresh(path, text).catch(() => undefined), refreshSeconds * 1000).unref();
  }

  /**
   * @param path the path of the lock itself.
   * @throws DISK, `busy`, with the holder's process id, machine and time, if another process holds it.
   */
  static async take(
    path: string,
    { waitSeconds = 0, what = path.replace(/\.lock$/, ""), doing, tell }: LockOptions,
  ): Promise<FileLock> {
    const begun = performance.now();
    const until = begun + waitSeconds * 1000;
    let isTold = false;
    for (;;) {
      const text = await create(path, what);
      if (text !== undefined) return new FileLock(path, text);
      const found = await readLock(path);
      if (found === undefined) continue; // released meanwhile
      if (await isStale(path, found)) {
        if ((await removeStale(path, found.text)) && found.holder) {
          tell?.(`${path}: ${inWords(found.holder)} held this lock and no longer runs; the lock is removed`);
        }
      } else {
        const who = found.holder ? inWords(found.holder) : "an unknown process";
        const busy = `${what}: ${doing} by ${who}; its lock is ${path}`;
        if (performance.now() >= until) throw new DiskError("busy", busy);
        if (!isTold && performance.now() - begun > quietSeconds * 1000) {
          tell?.(`${busy}: waiting for it, for at most ${waitSeconds} s`);
          isTold = true;
        }
      }
      await new Promise((resolve) => setTimeout(resolve, 5 + 45 * Math.random()));
    }
  }

  /** @throws DISK, `busy`, if another process has taken the lock, because this one was stopped for a long time. */
  async check(): Promise<void> {
    if ((await readLock(this.path))?.text === this.text) return;
    throw new DiskError("busy", `${this.path}: this lock was lost while this process did not refresh it`);
  }

  async release(): Promise<void> {
    clearInterval(this.timer);
    heldHere.delete(this.path);
    if ((await readLock(this.path))?.text === this.text) await rm(this.path, { force: true });
  }
}

const inWords = ({ pid, host, since }: LockHolder) => `process ${pid} on ${host} since ${since}`;

/** Undefined if the lock already exists. */
async function create(path: string, what: string): Promise<string | undefined> {
  const holder: LockHolder = {
    pid: process.pid,
    host: hostname(),
    since: new Date().toISOString(),
    birth: startTimeOf(process.pid),
    space: processSpace(),
    token: randomUUID(),
  };
  const text = `${JSON.stringify(holder)}\n`;
  try {
    const file = await open(path, "wx", 0o644);
    try {
      await file.writeFile(text);
    } catch (error) {
      await rm(path, { force: true }).catch(() => undefined);
      throw error;
    } finally {
      await file.close();
    }
    return text;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "EEXIST") return undefined;
    throw diskError(what, "written", error as Error);
  }
}

/** Writes the lock's content again to update its time by the disk's clock; another process's lock is left alone. */
async function refresh(path: string, text: string): Promise<void> {
  const file = await open(path, "r+");
  try {
    if ((await file.readFile("utf8")) === text) await file.write(text, 0);
  } finally {
    await file.close();
  }
}

async function readLock(path: string): Promise<{ text: string; holder?: LockHolder } | undefined> {
  let text: string;
  try {
    text = await readFile(path, "utf8");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw diskError(path, "read", error as Error);
  }
  try {
    return { text, holder: schema.parse(JSON.parse(text)) };
  } catch {
    return { text };
  }
}

/** Whether the holder is dead: on this machine by process id and start, on another one if the lock is not refreshed. */
async function isStale(path: string, { holder }: { holder?: LockHolder }): Promise<boolean> {
  if (holder?.space === processSpace()) return !isSameRunning(holder.pid, holder.birth);
  return (await ageOf(path)) > (holder ? silentSeconds : emptySeconds);
}

/** Seconds since a file was last written, by the clock of its disk. */
async function ageOf(path: string): Promise<number> {
  const probe = `${path}.${randomUUID()}`;
  try {
    await (await open(probe, "wx")).close();
    return ((await stat(probe)).mtimeMs - (await stat(path)).mtimeMs) / 1000;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return 0; // released meanwhile
    throw diskError(path, "written", error as Error);
  } finally {
    await rm(probe, { force: true });
  }
}

/**
 * Removes a lock with this content. One process at a time: a second one that found the same stale lock would otherwise
 * remove the new lock of the first.
 */
async function removeStale(path: string, text: string): Promise<boolean> {
  const turn = `${path}.removal`;
  try {
    await (await open(turn, "wx")).close();
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw diskError(turn, "written", error as Error);
    if ((await ageOf(turn)) > emptySeconds) await rm(turn, { force: true });
    return false;
  }
  try {
    if ((await readLock(path))?.text !== text) return false;
    await rm(path, { force: true });
    return true;
  } finally {
    await rm(turn, { force: true });
  }
}
