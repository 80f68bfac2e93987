import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { encode } from "../../src/formats/safetensors.ts";
import { encodeSealed } from "../../src/formats/seal.ts";
import { Checkpoints } from "../../src/train/checkpoints.ts";
import { Saver } from "../../src/train/saver.ts";
import { memoryFolder } from "./memoryFolder.ts";

const network = { imageSize: [2, 2, 1], filters: [1], embedding: 1, seed: 1 };
const tensors = new Map([["w", { dtype: "F32" as const, shape: [16], data: new Float32Array(16) }]]);

function state(step: number): Promise<Uint8Array> {
  const twingrad = { version: 2, step, network, loss: "cross-entropy", margin: 1 };
  return encodeSealed(tensors, { twingrad: JSON.stringify(twingrad) });
}

describe("Checkpoints", () => {
  it("keeps the newest and the best, for any losses", async () => {
    const finite = fc.oneof(fc.double({ noNaN: true, noDefaultInfinity: true }), fc.integer({ min: -3, max: 3 }));
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.option(finite, { nil: undefined }), { minLength: 1, maxLength: 12 }),
        fc.integer({ min: 1, max: 4 }),
        async (losses, keep) => {
          const folder = memoryFolder();
          const checkpoints = new Checkpoints(folder, { keep });
          for (const [i, loss] of losses.entries()) await checkpoints.save(Uint8Array.of(i), 10 * (i + 1), loss);
          const kept = [...folder.files.values()].map(([i]) => i);
          const newest = losses.map((_, i) => i).slice(-keep);
          expect(kept).toEqual(expect.arrayContaining(newest));
          // Names have losses with 6 digits: among equals there, the oldest is kept.
          const told = losses.map((loss) =>
            loss === undefined ? Number.POSITIVE_INFINITY : Number(loss.toPrecision(6)),
          );
          const best = losses.every((loss) => loss === undefined) ? undefined : told.indexOf(Math.min(...told));
          expect([...kept].sort()).toEqual([...new Set([...newest, ...(best === undefined ? [] : [best])])].sort());
          const found = await checkpoints.best();
          expect(found && folder.files.get(found.name)![0]).toBe(best);
        },
      ),
    );
  });

  it("selects the greatest AUC as the best, also if others have a loss", async () => {
    const checkpoints = new Checkpoints(memoryFolder(), { keep: 1 });
    await checkpoints.save(await state(10), 10, 0.001);
    await checkpoints.save(await state(20), 20, 0.9, 0.7);
    await checkpoints.save(await state(30), 30, 0.8, 0.9123456789);
    await checkpoints.save(await state(40), 40, 0.1, 0.9123457);
    await checkpoints.save(await state(50), 50, 0.0001);
    expect(await checkpoints.list()).toEqual([
      { name: "step-00000050-loss-0.0001.safetensors", step: 50, loss: 0.0001 },
      { name: "step-00000030-auc-0.912346.safetensors", step: 30, auc: 0.912346 },
    ]);
    expect(await checkpoints.best()).toMatchObject({ step: 30 });
  });

  it("lists by step, and ignores other files", async () => {
    const folder = memoryFolder();
    const checkpoints = new Checkpoints(folder);
    for (const step of [5, 123456789, 70]) await checkpoints.save(await state(step), step, step / 1e9);
    for (const name of [
      "notes.txt",
      ".step-00000099.safetensors.1.part",
      "step-9.safetensors",
      "step-00000099-loss-x.safetensors",
    ]) {
      folder.files.set(name, Uint8Array.of());
    }
    expect((await checkpoints.list()).map(({ step, loss }) => [step, loss])).toEqual([
      [123456789, 0.123457],
      [70, 7e-8],
      [5, 5e-9],
    ]);
  });

  it("skips truncated, damaged or foreign checkpoints with the reason, and uses the one before", async () => {
    const folder = memoryFolder();
    const checkpoints = new Checkpoints(folder, { keep: 5 });
    for (const step of [10, 20, 30, 40, 50]) await checkpoints.save(await state(step), step);
    const name = (step: number) => `step-000000${step}.safetensors`;
    folder.files.set(name(50), new Uint8Array(0));
    folder.files.set(name(40), folder.files.get(name(40))!.slice(0, -3));
    folder.files.get(name(30))![folder.files.get(name(30))!.length - 1] ^= 4;
    folder.files.set(name(20), encode(tensors, { format: "pt" }));
    const { found, refused } = await checkpoints.newest();
    expect(found).toMatchObject({ name: name(10), description: { step: 10 } });
    expect(refused).toEqual([
      { name: name(50), reason: expect.stringContaining("an empty file") },
      { name: name(40), reason: expect.stringContaining("ends at byte") },
      { name: name(30), reason: expect.stringContaining("damaged after it was written") },
      { name: name(20), reason: expect.stringContaining("not saved by twingrad") },
    ]);
    folder.files.set(name(10), Uint8Array.of(1));
    expect((await checkpoints.newest()).found).toBeUndefined();
    expect(await new Checkpoints(memoryFolder()).newest()).toEqual({ refused: [] });
  });

  it("keeps invalid later ones until the run reaches their step again", async () => {
    const folder = memoryFolder();
    const checkpoints = new Checkpoints(folder, { keep: 2 });
    for (const step of [10, 20, 30]) await checkpoints.save(await state(step), step, 1 / step);
    folder.files.set("step-00000030-loss-0.0333333.safetensors", Uint8Array.of(1)); // damaged: the run goes on from 20
    await checkpoints.save(await state(25), 25);
    expect((await checkpoints.list()).map(({ step }) => step)).toEqual([30, 25, 20]);
    await checkpoints.save(await state(30), 30, 0.04);
    expect((await checkpoints.list()).map(({ step, loss }) => [step, loss])).toEqual([
      [30, 0.04],
      [25, undefined],
    ]);
  });

  it("names an invalid number to keep", () => {
    expect(() => new Checkpoints(memoryFolder(), { keep: 0 })).toThrow(/keep is 0; expected an integer/);
  });
});

describe("Saver", () => {
  it("continues when a save fails, tries again later, and reports both", async () => {
    const folder = memoryFolder();
    const told: string[] = [];
    const saver = new Saver(new Checkpoints(folder), {
      every: 10,
      retrySeconds: 0.05,
      warn: (text) => told.push(text),
    });
    expect([9, 10, 11, 20].map((step) => saver.due(step))).toEqual([false, true, false, true]);
    expect(await saver.save(await state(10), 10)).toBe(true);
    folder.full = true;
    expect(await saver.save(await state(20), 20)).toBe(false);
    expect(told).toEqual([
      "the checkpoint of step 20 is not saved (memory: no space left); the last one is of step 10; training continues and tries again in 0.05 s",
    ]);
    expect(saver.due(21)).toBe(false);
    await new Promise((resolve) => setTimeout(resolve, 60));
    expect(saver.due(21)).toBe(true);
    folder.full = false;
    expect(await saver.save(await state(21), 21)).toBe(true);
    expect(told[1]).toBe("the checkpoint of step 21 is saved: saving works again");
    expect(saver.due(22)).toBe(false);
    expect([...folder.files.keys()]).toEqual(["step-00000010.safetensors", "step-00000021.safetensors"]);
  });
});
