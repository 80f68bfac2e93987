// Tuning tables as files: what is written is read again, and whatever else lies there is refused with its path.
import { mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import type { TuningTable } from "../../src/gpu/tunerTable.ts";
import { openDevice } from "../../src/node/adapter/device.ts";
import { fileTuningStore, tuningFolder } from "../../src/node/files/tuning.ts";

const table: TuningTable = {
  format: 2,
  adapter: "some adapter / driver 1.2",
  version: "0.1.0",
  shaders: "0123456789abcdef",
  choices: {
    "conv2d.forward batch=8": {
      candidate: "winograd",
      microseconds: { winograd: 12.5, tiled: null },
      differences: { winograd: 0.01, tiled: null },
      refused: { tiled: "it does not run" },
    },
  },
};
const key = "some adapter / driver 1.2; twingrad 0.1.0; 0123456789abcdef";

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "twingrad-tuning-"));
});
afterEach(() => rm(folder, { recursive: true }));

test("keeps a table for each key", async () => {
  const store = fileTuningStore(join(folder, "made", "when needed"));
  expect(await store.load(key)).toBeUndefined();
  await store.save(key, table);
  expect(await store.load(key)).toEqual(table);
  expect(await store.load(`${key}0`)).toBeUndefined();
  const other = { ...table, version: "0.2.0" };
  await store.save(`${key}0`, other);
  expect(await store.load(key)).toEqual(table);
  expect(await store.load(`${key}0`)).toEqual(other);
});

test("adds to what another process stored meanwhile", async () => {
  const stores = Array.from({ length: 8 }, () => fileTuningStore(folder));
  const one = table.choices["conv2d.forward batch=8"];
  await Promise.all(stores.map((store, n) => store.save(key, { ...table, choices: { [`kernel ${n}`]: one } })));
  expect(Object.keys((await stores[0].load(key))!.choices).sort()).toEqual(stores.map((_, n) => `kernel ${n}`));
  await stores[0].save(key, { ...table, shaders: "other" });
  expect((await stores[0].load(key))!.choices).toEqual(table.choices); // what is of other kernels says nothing
});

test.each([
  ["no JSON", "{", "JSON"],
  ["an empty file", "", "JSON"],
  ["another object", "{}", "format"],
  ["another format", JSON.stringify({ ...table, format: 3 }), "format"],
  ["a choice without times", JSON.stringify({ ...table, choices: { x: { candidate: "a" } } }), "x: microseconds"],
  [
    "a negative time",
    JSON.stringify({ ...table, choices: { x: { candidate: "a", microseconds: { a: -1 } } } }),
    "x: microseconds: a",
  ],
])("refuses %s, and names the file and the place", async (_, text, place) => {
  const store = fileTuningStore(folder);
  await store.save(key, table);
  const [name] = await readdir(folder);
  await writeFile(join(folder, name), text);
  const error = await store.load(key).catch((thrown: Error) => thrown);
  expect(error).toMatchObject({ code: "CORRUPT_FILE" });
  expect((error as Error).message).toContain(join(folder, name));
  expect((error as Error).message).toContain(place);
});

test("a device opens whatever lies in the folder, and says so", async () => {
  const store = fileTuningStore(folder);
  const warnings: string[] = [];
  const tuning = { store, warn: (text: string) => warnings.push(text) };
  const first = await openDevice({ tuning });
  const { adapter } = first.tuner.table();
  first.dispose();
  expect(warnings).toEqual([]);
  const kept = { ...store, load: () => store.load(key) };
  await store.save(key, table);
  const other = await openDevice({ tuning: { ...tuning, store: kept } });
  expect(other.tuner.table().choices).toEqual({});
  other.dispose();
  expect(warnings).toEqual([expect.stringContaining(`"some adapter / driver 1.2"; expected "${adapter}"`)]);
  const [name] = await readdir(folder);
  await writeFile(join(folder, name), "not a table");
  const third = await openDevice({ tuning: { ...tuning, store: kept } });
  third.dispose();
  expect(warnings[1]).toContain(name);
  expect(await readFile(join(folder, name), "utf8")).toBe("not a table"); // until something is timed
});

test.runIf(process.platform === "linux")("the user's folder is below XDG_CACHE_HOME on Linux", () => {
  const before = process.env.XDG_CACHE_HOME;
  process.env.XDG_CACHE_HOME = "/somewhere";
  try {
    expect(tuningFolder()).toBe("/somewhere/twingrad/tuning");
  } finally {
    if (before === undefined) delete process.env.XDG_CACHE_HOME;
    else process.env.XDG_CACHE_HOME = before;
  }
});
