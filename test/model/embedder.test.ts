// The cost of embedding: dispatches, uploaded bytes, and compilations after a model was opened.
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { Device } from "../../src/gpu/device.ts";
import type { TuningTable } from "../../src/gpu/tunerTable.ts";
import { batchSizes, chunksOf } from "../../src/model/embedder.ts";
import { siamese } from "../../src/nn/siamese.ts";
import { openDevice } from "../../src/node/adapter/device.ts";
import { Model } from "../../src/recognition/recognitionModel.ts";
import { Trainer } from "../../src/train/trainer.ts";
import { arraysWritten, countCalls, objectsMade } from "../gpu/calls.ts";

/** The workgroups of each dispatch of `work`. */
async function dispatched(device: Device, work: () => Promise<unknown>): Promise<number[]> {
  const groups: number[] = [];
  const pass = Object.getPrototypeOf(device.gpu.createCommandEncoder().beginComputePass());
  const { dispatchWorkgroups } = pass;
  pass.dispatchWorkgroups = function (this: unknown, ...of: [number, number, number]) {
    groups.push(of[0] * of[1] * of[2]);
    return dispatchWorkgroups.apply(this, of);
  };
  try {
    await work();
  } finally {
    pass.dispatchWorkgroups = dispatchWorkgroups;
  }
  return groups;
}

describe("chunksOf", () => {
  it("splits any number into a few batch sizes, largest first", () => {
    expect(batchSizes(16)).toEqual([1, 4, 16]);
    expect(batchSizes(32)).toEqual([1, 4, 16, 32]);
    expect(batchSizes(1)).toEqual([1]);
    const found = [0, 1, 2, 3, 5, 11, 12, 16, 17, 40].map((count) => chunksOf(count, batchSizes(16)));
    expect(found).toEqual([[], [1], [1, 1], [4], [4, 1], [4, 4, 4], [16], [16], [16, 1], [16, 16, 4, 4]]);
  });

  it("pads to the only size", () => {
    expect(chunksOf(1, [8])).toEqual([8]);
    expect(chunksOf(17, [8])).toEqual([8, 8, 8]);
  });

  it("never pads by more than a third", () => {
    for (let count = 1; count < 200; count++) {
      const computed = chunksOf(count, batchSizes(32)).reduce((sum, size) => sum + size, 0);
      expect(computed).toBeGreaterThanOrEqual(count);
      expect(computed).toBeLessThanOrEqual((4 / 3) * count);
    }
  });
});

describe("a model that embeds", () => {
  let device: Device;
  let bytes: Uint8Array;
  const imageSize = [28, 28, 1] as const;
  const picture = 28 * 28;
  const pictures = (count: number) => Uint8Array.from({ length: count * picture }, (_, i) => (i * 7919) % 256);
  const floats = (count: number) => Float32Array.from(pictures(count), (value) => value / 255);

  beforeAll(async () => {
    device = await openDevice();
    const network = siamese({ imageSize, filters: [32, 32, 64, 64], embedding: 64, seed: 3 });
    const trainer = await Trainer.create(device, network, { batchSize: 1 });
    bytes = await trainer.save();
    await trainer.dispose();
  });
  afterAll(() => device.dispose());

  it("computes one picture of S in at most 10 dispatches, and uploads that one", async () => {
    const model = await Model.open(device, bytes);
    let written = new Set<unknown>();
    const one = await dispatched(device, async () => {
      written = await arraysWritten(device, () => model.embed(pictures(1)));
    });
    expect(one.length).toBeLessThanOrEqual(10);
    expect([...written].map((array) => (array as Uint8Array).length)).toEqual([picture]);

    await model.embed(pictures(16)); // compiles that size
    const many = await dispatched(device, () => model.embed(pictures(16)));
    expect(many.length).toBeLessThanOrEqual(10);
    const workgroups = (of: number[]) => of.reduce((sum, count) => sum + count, 0);
    expect(workgroups(many)).toBeGreaterThan(2 * workgroups(one));
    await model.dispose();
  });

  it("names what it is given instead of bytes, such as a path", async () => {
    const wrong = Model.open(device, "model/" as unknown as Uint8Array);
    await expect(wrong).rejects.toThrow(/^The model is a String; expected the bytes of its file, a Uint8Array/);
  });

  it("needs 5 dispatches with the rules for GPUs, and one that scales bytes", async () => {
    const gpu = new Device(device.gpu, { ...device.adapter, software: false });
    const model = await Model.open(gpu, bytes);
    expect(await dispatched(gpu, () => model.embed(floats(1)))).toHaveLength(5);
    expect(await dispatched(gpu, () => model.embed(pictures(1)))).toHaveLength(6);
    await model.dispose();
  });

  it("has compiled programs for floats and bytes, and computed constants, when it is opened", async () => {
    const model = await Model.open(device, bytes);
    const made = await countCalls(device, async () => {
      await model.embed(floats(1));
      await model.embed(pictures(1));
    });
    expect(objectsMade(made)).toEqual([]);
    expect(made.submit).toBe(2);
    await model.dispose();
  });

  it("gives each picture the same embedding in any batch, in bytes or floats", async () => {
    const model = await Model.open(device, bytes, { batchSize: 8 });
    const seven = await model.embed(pictures(7));
    const alone: number[] = [];
    for (let i = 0; i < 7; i++)
      alone.push(...(await model.embed(pictures(7).subarray(i * picture, (i + 1) * picture))));
    const same = (found: ArrayLike<number>) =>
      Math.max(...Array.from(found, (value, i) => Math.abs(value - seven[i]))) / Math.max(...seven.map(Math.abs));
    expect(same(alone)).toBeLessThan(1e-6);
    expect(same(await model.embed(floats(7)))).toBeLessThan(1e-6);
    await model.dispose();
  });

  it("times its kernels if the device was opened with tuning, and a second opening reuses the times", async () => {
    const network = siamese({ imageSize: [8, 8, 1], filters: [4, 4], embedding: 4, seed: 3 }); // few choices
    const trainer = await Trainer.create(device, network, { batchSize: 1 });
    const bytes = await trainer.save();
    await trainer.dispose();
    let kept: TuningTable | undefined;
    const store = {
      load: async () => kept,
      save: async (_: string, table: TuningTable) => {
        kept = table;
      },
    };
    const tuned = await openDevice({ tuning: { store } });
    await (await Model.open(tuned, bytes)).dispose();
    expect(tuned.tuner.timed).toBeGreaterThan(0);
    expect(Object.keys(kept!.choices).some((key) => key.startsWith("product "))).toBe(true);
    tuned.dispose();
    const again = await openDevice({ tuning: { store } });
    await (await Model.open(again, bytes)).dispose();
    expect(again.tuner.timed).toBe(0);
    again.dispose();
  });
});
