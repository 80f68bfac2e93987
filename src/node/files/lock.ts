// Locks between processes: a file beside what they guard that says who holds it. Node has no flock, and that does not reach
// every network's disk. A dead process holds nothing: see `isStale`.
import { randomUUID } from "node:crypto";
import { rmSync } from "node:fs";
import { open, readFile, rm, stat } from "node:fs/promises";
import { hostname } from "node:os";
import * as z from "zod/mini";
import { DiskError } from "../../errors.ts";
import { diskError } from "./diskError.ts";
import { birthOf, isRunning, processSpace } from "./processes.ts";

const schema = z.object({
  pid: z.int().check(z.minimum(1)),
  host: z.string(),
  /** When the lock was taken. */
  since: z.iso.datetime(),
  /** Of the process, from the system: its number may be given to another one later. */
  birth: z.optional(z.string()),
  /** See `processSpace`. */
  space: z.string(),
  token: z.string(),
});

export type LockHolder = z.infer<typeof schema>;

export interface LockOptions {
  /** How long to wait for a lock that another process holds. @default 0 */
  readonly waitSeconds?: number;
  /** What messages call that which is locked; the lock's name without `.lock` where absent. */
  readonly what?: string;
  /** What the lock is for, as in "is being changed by process 7 on ada". */
  readonly doing: string;
  /** Is told of a lock whose holder is gone, and of one that is waited for. */
  readonly tell?: (text: string) => void;
}

const refreshSeconds = 5;
/** Of a holder on another machine nothing else is known than that it refreshes its lock. */
const silentSeconds = 60;
/** Locks of shorter waits are not worth a line. */
const quietSeconds = 2;
/** Of a lock without content: its maker is between two system calls, or was killed there. */
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
   * @param path of the lock itself.
   * @throws DISK, `busy`, with the holder's number, machine and time, where another process holds it.
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
      if (found === undefined) continue; // given back meanwhile
      if (await isStale(path, found)) {
        if ((await removeStale(path, found.text)) && found.holder) {
          tell?.(`${path}: ${inWords(found.holder)} held this lock and is gone: it is removed`);
        }
        continue;
      }
      const who = found.holder ? inWords(found.holder) : "a process that does not say who it is";
      const busy = `${what}: ${doing} by ${who}; its lock is ${path}`;
      if (performance.now() >= until) throw new DiskError("busy", busy);
      if (!isTold && performance.now() - begun > quietSeconds * 1000) {
        tell?.(`${busy}: waiting for it, for at most ${waitSeconds} s`);
        isTold = true;
      }
      await new Promise((resolve) => setTimeout(resolve, 5 + 45 * Math.random()));
    }
  }

  /** @throws DISK, `busy`, where another process has taken this one for gone: it was stopped for a long time. */
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

/** Undefined where there is one already. */
async function create(path: string, what: string): Promise<string | undefined> {
  const holder: LockHolder = {
    pid: process.pid,
    host: hostname(),
    since: new Date().toISOString(),
    birth: birthOf(process.pid),
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

/** Writes what is in the lock once more, so that the disk's clock stamps it; one that is another process's now is left. */
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

/** Whether the holder is gone: on this machine by its number and birth, elsewhere because it has not refreshed the lock. */
async function isStale(path: string, { holder }: { holder?: LockHolder }): Promise<boolean> {
  if (holder?.space === processSpace()) {
    const birth = birthOf(holder.pid);
    return !isRunning(holder.pid) || (holder.birth !== undefined && birth !== undefined && birth !== holder.birth);
  }
  return (await ageOf(path)) > (holder ? silentSeconds : emptySeconds);
}

/** Seconds since a file was last written, by the clock of the disk that it is on. */
async function ageOf(path: string): Promise<number> {
  const probe = `${path}.${randomUUID()}`;
  try {
    await (await open(probe, "wx")).close();
    return ((await stat(probe)).mtimeMs - (await stat(path)).mtimeMs) / 1000;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return 0; // given back meanwhile
    throw diskError(path, "written", error as Error);
  } finally {
    await rm(probe, { force: true });
  }
}

/**
 * Removes a lock of that content. One process at a time may do that: a second one that found it stale as well would remove
 * the lock that the first has taken since.
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
