// One identity: what two entries export is one object, so that errors, devices and trainers of any of them go together.
import { beforeAll, expect, it } from "vitest";
import { addPrograms, libraryInNode } from "./support/installed.ts";
import { answer } from "./support/run.ts";

let folder: string;

beforeAll(async () => {
  folder = await libraryInNode();
  await addPrograms(folder);
}, 300_000);

/** Under one name, but of a runtime of its own each. */
const perRuntime = {
  "openDevice: twingrad, twingrad/node": "navigator.gpu in a page, Dawn in Node",
  "tfrecords: twingrad/node, twingrad/web": "paths in Node; files, blobs and addresses in a page",
};

interface Identity {
  same: string[];
  different: string[];
  errors: { what: string; name: string; own: boolean }[];
  classes: Record<string, boolean>;
}

it("whatever two entries export is the same object, and so are the classes of their errors", async () => {
  const { same, different, errors, classes } = await answer<Identity>(folder, "node", "identity.js");
  console.log(`${same.length} names of two entries are the same; of a runtime's own: ${different.join("; ")}`);
  expect(same.length).toBeGreaterThan(40);
  expect(same).toContain("withOperatingPoint: twingrad, twingrad/node");
  expect(different).toEqual(Object.keys(perRuntime));
  for (const { what, name, own } of errors) {
    expect(what.split(" ")[1]).toBe(name);
    expect(own, `${what} is no TwingradError`).toBe(true);
  }
  expect(classes).toEqual({ DeviceLostError: true, CorruptRecordError: true });
});

interface Refusal {
  code: string;
  message: string;
  over: boolean;
}
interface Run {
  values: number[];
  recovered: { exact: boolean; from: number; to: number }[];
}

it("a trainer of the core recovers Node's device to the same losses, and advises what would fit it", async () => {
  const { calm, stormy, limit, memory } = await answer<{ calm: Run; stormy: Run; limit: Refusal; memory: Refusal }>(
    folder,
    "node",
    "recovery.js",
  );
  console.log(`recovered ${JSON.stringify(stormy.recovered)}\n${limit.message}\n${memory.message}`);
  expect(calm.recovered).toEqual([]);
  expect(new Set(calm.values).size).toBe(8);
  expect(stormy.values).toEqual(calm.values);
  expect(stormy.recovered).toMatchObject([{ exact: true }]);
  expect(limit).toMatchObject({ code: "LIMIT", over: true });
  expect(memory).toMatchObject({ code: "OUT_OF_MEMORY", over: true });
  expect(limit.message).toMatch(/What would fit: pictures of at most \d+ x \d+ in place of 2048 x 2048/);
  expect(memory.message).toMatch(/What would fit: .*a batch of at most \d+ in place of 16/);
});
