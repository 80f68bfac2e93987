// Locks between processes: one holds it, who is gone holds nothing, and who is there is named.
import { type ChildProcess, spawn } from "node:child_process";
import { readFileSync } from "node:fs";
import { mkdtemp, readdir, readFile, rm, utimes, writeFile } from "node:fs/promises";
import { hostname, tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { FileLock, type LockHolder } from "../../src/node/files/lock.ts";
import { processSpace, startTimeOf } from "../../src/node/files/processes.ts";

let folder: string;
let path: string;
const children: ChildProcess[] = [];
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "twingrad-lock-"));
  path = join(folder, ".x.lock");
});
afterEach(async () => {
  for (const child of children.splice(0)) child.kill("SIGKILL");
  await rm(folder, { recursive: true });
});

const doing = "is being changed";

/** As another process would have left it. */
async function leave(change: Partial<LockHolder>): Promise<void> {
  const own = { pid: process.pid, host: hostname(), birth: startTimeOf(process.pid), space: processSpace() };
  const holder = { ...own, since: "2026-01-01T00:00:00.000Z", token: "other", ...change };
  await writeFile(path, JSON.stringify(holder));
}

/** A process that does nothing until it is killed. */
async function sleeper(): Promise<ChildProcess & { pid: number }> {
  const child = spawn(process.execPath, ["-e", "setInterval(() => {}, 1000); console.log('up')"]);
  children.push(child);
  await new Promise((up) => child.stdout.once("data", up));
  return child as typeof child & { pid: number };
}

describe("a lock", () => {
  it("is held by one, and names it", async () => {
    const lock = await FileLock.take(path, { doing });
    const second = await FileLock.take(path, { doing }).catch((error) => error);
    expect(second).toMatchObject({ code: "DISK", reason: "busy" });
    expect(second.message).toMatch(
      new RegExp(`x: is being changed by process ${process.pid} on ${hostname()} since 20.*Z; its lock is ${path}$`),
    );
    await lock.check();
    await lock.release();
    expect(await readdir(folder)).toEqual([]);
    await (await FileLock.take(path, { doing })).release();
  });

  it("is waited for", async () => {
    const lock = await FileLock.take(path, { doing });
    const second = FileLock.take(path, { doing, waitSeconds: 30 });
    setTimeout(() => void lock.release(), 150);
    const taken = await second;
    await taken.check();
    await expect(lock.check()).rejects.toMatchObject({ code: "DISK", reason: "busy" });
    await lock.release(); // does not give back what is another's
    await taken.check();
    await taken.release();
  });

  it("is waited for aloud if that takes long", async () => {
    const lock = await FileLock.take(path, { doing });
    const told: string[] = [];
    const second = FileLock.take(path, { doing, waitSeconds: 30, tell: (text) => told.push(text) });
    setTimeout(() => void lock.release(), 2200);
    await (await second).release();
    expect(told).toEqual([
      expect.stringMatching(/x: is being changed by process .*: waiting for it, for at most 30 s$/),
    ]);
  });

  it.runIf(process.platform === "linux")("tells machines of one name apart", () => {
    const boot = readFileSync("/proc/sys/kernel/random/boot_id", "utf8").trim();
    expect(processSpace()).toContain(boot);
  });

  it("of a process that was killed is removed, and told", async () => {
    const child = await sleeper();
    await leave({ pid: child.pid, birth: startTimeOf(child.pid) });
    await expect(FileLock.take(path, { doing })).rejects.toThrow(`process ${child.pid} on ${hostname()}`);
    child.kill("SIGKILL");
    await new Promise((gone) => child.once("exit", gone));
    const told: string[] = [];
    const lock = await FileLock.take(path, { doing, tell: (text) => told.push(text) });
    expect(told).toEqual([
      expect.stringMatching(`process ${child.pid} on .* held this lock and no longer runs; the lock is removed`),
    ]);
    await lock.release();
    expect(await readdir(folder)).toEqual([]);
  });

  it.runIf(process.platform === "linux")("is not that of a later process of the same number", async () => {
    await leave({ birth: "1" });
    await (await FileLock.take(path, { doing })).release();
  });

  it("of another machine is held as long as it is refreshed", async () => {
    await leave({ host: "elsewhere", space: "elsewhere" });
    await expect(FileLock.take(path, { doing })).rejects.toThrow(/on elsewhere since 2026-01-01/);
    const before = new Date(Date.now() - 61_000);
    await utimes(path, before, before);
    await (await FileLock.take(path, { doing })).release();
    expect(await readdir(folder)).toEqual([]);
  });

  it.each(["", "{", '{"pid":0}'])("without a holder's name is held only for a moment: %j", async (text) => {
    await writeFile(path, text);
    await expect(FileLock.take(path, { doing })).rejects.toMatchObject({ reason: "busy" });
    const before = new Date(Date.now() - 11_000);
    await utimes(path, before, before);
    await (await FileLock.take(path, { doing })).release();
  });

  it("that is stale goes to one of many", async () => {
    await leave({ pid: 4194305 });
    let inside = 0;
    let most = 0;
    const all = Array.from({ length: 20 }, async () => {
      const lock = await FileLock.take(path, { doing, waitSeconds: 60 });
      most = Math.max(most, ++inside);
      await new Promise((done) => setTimeout(done, 2));
      await lock.check();
      inside--;
      await lock.release();
    });
    await Promise.all(all);
    expect(most).toBe(1);
    expect(await readdir(folder)).toEqual([]);
  });

  it("says who holds it in words that people read", async () => {
    const lock = await FileLock.take(path, { doing });
    expect(JSON.parse(await readFile(path, "utf8"))).toMatchObject({ pid: process.pid, host: hostname() });
    await lock.release();
  });

  it("cannot be taken where nothing can be written", async () => {
    const nowhere = FileLock.take(join(folder, "none", ".x.lock"), { doing });
    await expect(nowhere).rejects.toMatchObject({ code: "BAD_INPUT" });
  });
});
