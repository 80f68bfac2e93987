// The cache of detected faces: kept across runs, and ignored from another finder, with other limits, or if damaged.
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { openFacesFile } from "../../src/node/faces/facesFile.ts";

let folder: string;
const warned: string[] = [];
const open = (finder = "finder 1") => openFacesFile(join(folder, ".faces.json"), finder, (text) => warned.push(text));
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "twingrad-faces-"));
});
afterAll(() => rm(folder, { recursive: true }));

const box = { xmin: 1, ymin: 2, xmax: 30, ymax: 40, relative: false };
const chosen = { face: { box, score: 0.5 }, faults: ["small" as const] };

describe("the cache of detected faces", () => {
  it("gives back what was put in, also what two wrote at the same time", async () => {
    const [one, two] = [await open(), await open()];
    one.set("a", chosen);
    two.set("b", { face: undefined, faults: ["none"] });
    await Promise.all([one.save(), two.save()]);
    const again = await open();
    expect(again.get("a")).toEqual(chosen);
    expect(again.get("b")).toEqual({ faults: ["none"] });
    expect(again.get("c")).toBeUndefined();
    expect(warned).toEqual([]);
  });

  it("is another finder's no more, and is not written where nothing was found", async () => {
    const before = await readFile(join(folder, ".faces.json"), "utf8");
    const other = await open("finder 2");
    expect(other.get("a")).toBeUndefined();
    await other.save();
    expect(await readFile(join(folder, ".faces.json"), "utf8")).toBe(before);
  });

  it.each([
    ["{", /JSON/],
    [JSON.stringify({ version: 9, key: "", faces: {} }), /not a file of detected faces/],
  ])("broken (%s), it is told and written anew", async (text, reason) => {
    await writeFile(join(folder, ".faces.json"), text);
    warned.length = 0;
    const file = await open();
    expect(warned).toEqual([expect.stringMatching(reason)]);
    file.set("a", chosen);
    await file.save();
    expect((await open()).get("a")).toEqual(chosen);
  });
});
