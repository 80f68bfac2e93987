// What belongs to a run: its folder, its checkpoints, its data, and the model that it leaves at its end.
import { mkdir, mkdtemp, readdir, readFile, rm, utimes, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { resolveSettings } from "../../../src/cli/options/settings.ts";
import { compareData, dataFingerprint } from "../../../src/cli/run/dataFingerprint.ts";
import { checkpointsIn, savedRun } from "../../../src/cli/run/resume.ts";
import { inRunFolder } from "../../../src/cli/run/runFolder.ts";
import { runIdentity } from "../../../src/cli/run/runIdentity.ts";
import { recognition } from "../../../src/cli/run/tasks/recognitionTask.ts";
import { train } from "../../../src/cli/run/training.ts";
import { decode } from "../../../src/formats/safetensors.ts";
import type { Device } from "../../../src/gpu/device.ts";
import { openDevice } from "../../../src/node/adapter/device.ts";
import { imageFolder } from "../../../src/node/files/imageFolders.ts";
import { loadModel } from "../../../src/node/files/modelFiles.ts";
import { tinyPeople, tinySettings } from "./resume/tiny.ts";

let folder: string;
let device: Device;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "twingrad-run-folder-"));
  device = await openDevice();
});
afterAll(async () => {
  device.dispose();
  await rm(folder, { recursive: true });
});

async function run(
  out: string,
  steps: number,
  { resume = false, signal, before }: { resume?: boolean; signal?: AbortSignal; before?: () => Promise<void> } = {},
) {
  await mkdir(out, { recursive: true });
  const told: string[] = [];
  const warn = (text: string) => void told.push(text);
  const settings = resolveSettings(
    { ...tinySettings, validation: 0.4, checkpointEvery: 2, keepCheckpoints: 1 },
    { steps },
  );
  const saved = resume ? await savedRun(out, warn) : undefined;
  await before?.();
  const result = await train(device, recognition, tinyPeople, settings, { folder: out, resume: saved, warn, signal });
  return { result, told };
}

const idOf = async (path: string) => runIdentity(decode(new Uint8Array(await readFile(path))))?.id;

describe("a run", () => {
  it("chooses among its own checkpoints, whatever else lies in the folder, and goes on under its identity", async () => {
    const [other, own] = [join(folder, "other"), join(folder, "own")];
    await run(other, 4);
    const [foreign] = await checkpointsIn(other).list();
    const bytes = await readFile(join(other, "checkpoints", foreign.name));
    await run(own, 2);
    const [first] = await checkpointsIn(own).list();
    const id = await idOf(join(own, "checkpoints", first.name));
    expect(id).toMatch(/^[0-9a-f-]{36}$/);
    expect(await idOf(join(own, "model.safetensors")), "the same run gives the same file").toBeUndefined();

    // Steps that the run comes to, and by the name the best that there can be.
    const names = [4, 6].map((step) => `step-0000000${step}-auc-1.safetensors`);
    const before = async () => {
      for (const name of names) await writeFile(join(own, "checkpoints", name), bytes);
    };
    const { result, told } = await run(own, 8, { resume: true, before });
    expect(result.steps).toBe(8);
    expect(told.filter((text) => /best checkpoint/.test(text))).toEqual([]);
    for (const name of names) expect((await readFile(join(own, "checkpoints", name))).equals(bytes), name).toBe(true);
    const ownNames = (await checkpointsIn(own).list()).map(({ name }) => name).filter((name) => !names.includes(name));
    expect(ownNames.length).toBeGreaterThan(0);
    for (const name of ownNames) expect(await idOf(join(own, "checkpoints", name)), name).toBe(id);
    expect(
      ownNames.some((name) => name.includes("-auc-")),
      "its own best one is kept",
    ).toBe(true);
  });

  it("that has not ended keeps the previous model, with a warning when it is opened", async () => {
    const out = join(folder, "twice");
    await run(out, 3);
    const before = await readFile(join(out, "model.safetensors"));
    const told: string[] = [];
    const warn = (text: string) => void told.push(text);
    await (await loadModel(device, out, { warn })).dispose();
    expect(told).toEqual([]);

    const stop = new AbortController();
    const stopped = run(out, 1000, { signal: stop.signal });
    const watching = setInterval(async () => {
      if ((await readdir(out)).includes("unfinished.json")) stop.abort();
    }, 5);
    const { result, told: begun } = await stopped;
    clearInterval(watching);
    expect(result.interrupted).toBe(true);
    expect(begun).toContain(
      `${join(out, "model.safetensors")} is the model of an earlier training until this one ends`,
    );
    expect((await readFile(join(out, "model.safetensors"))).equals(before)).toBe(true);
    for (const path of [out, join(out, "model.safetensors")]) {
      await (await loadModel(device, path, { warn })).dispose();
      expect(told.pop()).toMatch(
        /model\.safetensors is the model of an earlier training: a newer one, started at 20.*, has not ended/,
      );
    }
    await run(out, result.steps + 2, { resume: true });
    await (await loadModel(device, out, { warn })).dispose();
    expect(told).toEqual([]);
    expect(await readdir(out)).not.toContain("unfinished.json");
  });

  it("that was stopped before its first step has the folder all the same", async () => {
    const out = join(folder, "stopped at once");
    await run(out, 2);
    const { result } = await run(out, 4, { signal: AbortSignal.abort() });
    expect(result).toMatchObject({ interrupted: true, steps: 0 });
    const told: string[] = [];
    await (await loadModel(device, out, { warn: (text) => void told.push(text) })).dispose();
    expect(told).toEqual([expect.stringMatching(/is the model of an earlier training/)]);
  });

  it("has its folder alone", async () => {
    const out = join(folder, "alone");
    await inRunFolder(
      out,
      () => undefined,
      async () => {
        const second = await inRunFolder(
          out,
          () => undefined,
          async () => undefined,
        ).catch((error) => error);
        expect(second).toMatchObject({ code: "DISK", reason: "busy" });
        expect(second.message).toMatch(
          new RegExp(
            `^${out}: is being trained in by process ${process.pid} on .* since 20.*; its lock is .*\\. Wait for it to end, or choose another --out$`,
          ),
        );
      },
    );
    await writeFile(join(out, ".training.lock"), JSON.stringify({ pid: 4194305, host: "here" }));
    await expect(
      inRunFolder(
        out,
        () => undefined,
        async () => 1,
      ),
    ).rejects.toThrow(/by an unknown process/);
    await rm(join(out, ".training.lock"));
    const none = join(folder, "none");
    await expect(
      inRunFolder(
        none,
        () => undefined,
        () => Promise.reject(new Error("no data")),
      ),
    ).rejects.toThrow("no data");
    expect(await readdir(folder)).not.toContain("none");
  });

  it("writes a damaged model again from its last checkpoint", async () => {
    const own = join(folder, "damaged");
    await run(own, 2);
    const path = join(own, "model.safetensors");
    const model = await readFile(path);
    await writeFile(path, "not a model");
    const { told } = await run(own, 2, { resume: true });
    expect(told.filter((text) => text.startsWith(`${path} is written again from the checkpoint: `))).toHaveLength(1);
    expect((await readFile(path)).equals(model)).toBe(true);
  });
});

describe("the data of a run", () => {
  it("are those that it began with, or it is refused, or told", async () => {
    const data = join(folder, "people");
    const file = (name: string) => join(data, name);
    const put = (name: string, value: number) =>
      writeFile(file(name), Buffer.concat([Buffer.from("P5 1 1 255\n"), Buffer.of(value)]));
    for (const person of ["a", "b"]) {
      await mkdir(file(person), { recursive: true });
      await put(`${person}/1.pgm`, 7);
      await put(`${person}/2.pgm`, 8);
    }
    const fingerprint = async (check: "times" | "contents") =>
      dataFingerprint([data], await imageFolder(data), { check });
    const told: string[] = [];
    const compare = (begun: Awaited<ReturnType<typeof fingerprint>>, now: typeof begun) => {
      told.length = 0;
      compareData("people", begun, now, (text) => told.push(text));
      return told;
    };
    const [times, contents] = [await fingerprint("times"), await fingerprint("contents")];
    expect(compare(times, await fingerprint("times"))).toEqual([]);
    expect(compare(contents, await fingerprint("contents"))).toEqual([]);

    await utimes(file("a/1.pgm"), 1, 1);
    expect(compare(times, await fingerprint("times"))).toEqual([
      expect.stringMatching(/rewritten with the same sizes since/),
    ]);
    expect(compare(contents, await fingerprint("contents")), "the same pictures").toEqual([]);
    expect(compare(times, await fingerprint("contents"))[0]).toMatch(/started without --check-data contents/);

    await put("a/1.pgm", 9); // of the same size
    expect(compare(times, await fingerprint("times"))).toEqual([
      expect.stringMatching(/rewritten with the same sizes since/),
    ]);
    const other = await fingerprint("contents");
    expect(() => compare(contents, other)).toThrow(/people: pictures changed since the run to resume started/);

    await writeFile(file("a/1.pgm"), "P5 1 2 255\n78");
    const larger = await fingerprint("times");
    expect(() => compare(times, larger)).toThrow(/names or sizes of the files changed/);
    expect(() => compare(times, larger)).toThrow(expect.objectContaining({ code: "CHECKPOINT_MISMATCH" }));
  });
});
