// Disks that fill up or refuse: real ones, a megabyte of memory mounted as a file system, where this process may do that.
import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { resolveSettings } from "../../../../src/cli/options/settings.ts";
import { checkpointsIn, savedRun } from "../../../../src/cli/run/resume.ts";
import { recognition } from "../../../../src/cli/run/tasks/recognitionTask.ts";
import { train } from "../../../../src/cli/run/training.ts";
import type { Device } from "../../../../src/gpu/device.ts";
import { openSaved } from "../../../../src/model/modelFile.ts";
import { openDevice } from "../../../../src/node/adapter/device.ts";
import { tinyPeople, tinySettings } from "./tiny.ts";

const root = mkdtempSync(join(tmpdir(), "twingrad-disk-"));
const disk = join(root, "disk");
const mount = (...parameters: string[]) => execFileSync("mount", parameters, { stdio: "pipe" });

function mounted(): string | undefined {
  mkdirSync(disk);
  try {
    mount("-t", "tmpfs", "-o", "size=1m", "tmpfs", disk);
    return undefined;
  } catch (error) {
    return (error as Error).message.split("\n").slice(0, 2).join(" ");
  }
}
const missing = mounted();

let device: Device;
beforeAll(async () => {
  device = await openDevice();
});
afterAll(() => {
  device.dispose();
  if (!missing) execFileSync("umount", [disk]);
  rmSync(root, { recursive: true });
});

const settings = resolveSettings(tinySettings, { steps: 30 });

/** Trains into `folder`; `heard` is called with each warning. */
async function run(folder: string, heard: (text: string) => void = () => undefined) {
  const told: string[] = [];
  const warn = (text: string) => {
    told.push(text);
    heard(text);
  };
  mkdirSync(folder, { recursive: true });
  return { result: await train(device, recognition, tinyPeople, settings, { folder, warn }), told };
}

const losses = async (folder: string) =>
  (await readFile(join(folder, "log.csv"), "utf8")).split("\n").map((line) => line.split(",")[2]);

/** Leaves less of the disk than a checkpoint takes. */
function fill(): void {
  try {
    for (let i = 0; ; i++) writeFileSync(join(disk, `filler${i}`), new Uint8Array(4096));
  } catch {
    // full
  }
}
const free = () => {
  for (const name of readdirSync(disk)) if (name.startsWith("filler")) rmSync(join(disk, name));
};

if (missing) it.skip(`this process cannot mount a small disk: ${missing}`, () => {});
describe.skipIf(missing)("a run", () => {
  it("goes on while the disk is full, says so once a try, and saves when there is room again", async () => {
    const good = join(root, "good");
    await run(good);
    const folder = join(disk, "full");
    mkdirSync(folder);
    fill();
    let failures = 0;
    const { result, told } = await run(folder, (text) => {
      if (/not saved/.test(text) && ++failures === 3) free();
    });
    const failed = told.filter((text) => /is not saved/.test(text));
    expect(failed).toHaveLength(3);
    expect(failed[0]).toMatch(
      /^the checkpoint of step 0 is not saved \(.*ENOSPC.*\); no checkpoint is saved yet; training continues and tries again in 30 s$/,
    );
    expect(told).toContain("the checkpoint of step 9 is saved: saving works again");
    expect(told.filter((text) => /log\.csv: cannot be written: ENOSPC.*; will retry/.test(text))).toHaveLength(1);

    // Nothing is missing afterwards: not a loss, not a bit of the model, and nothing half-written is left.
    expect(result.steps).toBe(30);
    expect(await losses(folder)).toEqual(await losses(good));
    const model = (path: string) => readFile(join(path, "model.safetensors"));
    expect((await model(folder)).equals(await model(good))).toBe(true);
    expect(readdirSync(join(folder, "checkpoints")).filter((name) => name.endsWith(".part"))).toEqual([]);
  });

  it("goes on while the disk is read-only", async () => {
    const folder = join(disk, "read-only");
    mkdirSync(folder);
    mount("-o", "remount,ro", disk);
    const { told } = await run(folder, (text) => {
      if (/step 3 is not saved/.test(text)) mount("-o", "remount,rw", disk);
    });
    expect(told.filter((text) => /is not saved .*EROFS/.test(text))).toHaveLength(2);
    expect(told).toContain("the checkpoint of step 6 is saved: saving works again");
    expect(await losses(folder)).toHaveLength(32);
  });

  it("that finds no room to the end says so, and leaves what was saved before", async () => {
    const folder = join(disk, "to-the-end");
    await run(folder);
    const before = await readFile(join(folder, "model.safetensors"));
    fill();
    await expect(run(folder)).rejects.toThrow(/model\.safetensors: cannot be written: ENOSPC/);
    expect((await readFile(join(folder, "model.safetensors"))).equals(before)).toBe(true);
    // The earlier run's checkpoints were put aside, whole.
    const { found } = await checkpointsIn(folder).newest();
    expect(found).toBeUndefined();
    const aside = join(folder, "checkpoints.old");
    for (const name of readdirSync(aside)) await openSaved(await readFile(join(aside, name)));
    expect(readdirSync(aside).length).toBeGreaterThan(0);
    free();
  });

  it("is resumed from the checkpoint before the one that a disk has damaged", async () => {
    const folder = join(disk, "damaged");
    await run(folder);
    const [newest, older] = await checkpointsIn(folder).list();
    const path = join(folder, "checkpoints", newest.name);
    const bytes = await readFile(path);
    bytes[bytes.length - 100] ^= 0x10;
    writeFileSync(path, bytes);
    const told: string[] = [];
    const saved = await savedRun(folder, (text) => told.push(text));
    expect(saved?.description.step).toBe(older.step);
    expect(told[0]).toMatch(new RegExp(`${newest.name} is skipped: the file was damaged after it was written`));
    expect(told[1]).toBe(`resuming from ${older.name}, the newest valid checkpoint`);

    const table = await losses(folder);
    await train(device, recognition, tinyPeople, settings, { folder, resume: saved, warn: () => undefined });
    expect(await losses(folder)).toEqual(table);
  });
});
