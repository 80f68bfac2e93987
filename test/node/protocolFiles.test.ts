import { execFileSync } from "node:child_process";
import { existsSync } from "node:fs";
import { copyFile, mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { labelsOf } from "../../src/data/dataset.ts";
import { imageFolder } from "../../src/node/files/imageFolders.ts";
import { readOneShotRuns, readPairs } from "../../src/node/files/protocolFiles.ts";

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "twingrad-protocols-"));
});
afterEach(() => rm(folder, { recursive: true }));
const at = (...parts: string[]) => join(folder, ...parts);
const pgm = (shade: number) => Uint8Array.from([...new TextEncoder().encode("P5 1 1 255\n"), shade]);

describe("readPairs", () => {
  it("keeps the pictures that the list names, and the sets", async () => {
    for (const [name, count] of [
      ["Ada", 3],
      ["Bob", 1],
      ["Eve", 2],
    ] as const) {
      await mkdir(at("lfw", name), { recursive: true });
      for (let n = 1; n <= count; n++) await writeFile(at("lfw", name, `${name}_000${n}.pgm`), pgm(n));
    }
    await writeFile(at("pairs.txt"), "2\t1\nAda\t1\t3\nAda\t3\tBob\t1\nAda\t3\t1\nBob\t1\tAda\t1\n");
    const { dataset, pairs, sets } = await readPairs(at("pairs.txt"), await imageFolder(at("lfw")));
    expect(dataset.items.map((item) => item.name.slice(at("lfw").length + 1))).toEqual([
      "Ada/Ada_0001.pgm",
      "Ada/Ada_0003.pgm",
      "Bob/Bob_0001.pgm",
    ]);
    expect([...labelsOf(dataset)]).toEqual([0, 0, 1]);
    expect(pairs).toEqual([
      { left: 0, right: 1, same: true },
      { left: 1, right: 2, same: false },
      { left: 1, right: 0, same: true },
      { left: 2, right: 0, same: false },
    ]);
    expect([...sets]).toEqual([0, 0, 1, 1]);
  });

  it("names the list in its errors", async () => {
    await mkdir(at("people", "a"), { recursive: true });
    await writeFile(at("people", "a", "1.pgm"), pgm(1));
    const dataset = await imageFolder(at("people"));
    await expect(readPairs(at("none.txt"), dataset)).rejects.toThrow(`${at("none.txt")}: cannot be read: ENOENT`);
    await writeFile(at("pairs.txt"), "1\na\t1\t2\na\t1\tb\t1\n");
    await expect(readPairs(at("pairs.txt"), dataset)).rejects.toThrow(`${at("pairs.txt")}: 2 pictures`);
  });
});

describe("readOneShotRuns", () => {
  async function run(name: string, training: number, labels: string): Promise<void> {
    await mkdir(at(name, "training"), { recursive: true });
    await mkdir(at(name, "test"), { recursive: true });
    for (let n = 1; n <= training; n++) await writeFile(at(name, "training", `class0${n}.pgm`), pgm(n));
    for (let n = 1; n <= 2; n++) await writeFile(at(name, "test", `item0${n}.pgm`), pgm(100 + n));
    await writeFile(at(name, "class_labels.txt"), labels);
  }
  const line = (name: string, item: number, answer: number) =>
    `${name}/test/item0${item}.pgm ${name}/training/class0${answer}.pgm\n`;

  it("makes a trial of each question, within its run", async () => {
    await run("run02", 3, line("run02", 1, 1));
    await run("run01", 3, line("run01", 1, 3) + line("run01", 2, 1));
    await writeFile(at("demo_classification.py"), "");
    const { dataset, trials, runs, ways } = await readOneShotRuns(folder);
    expect([runs, ways, trials.length]).toEqual([2, 3, 3]);
    const shade = async (index: number) => (await dataset.items[index].decode([1, 1, 1]))[0];
    for (const [i, [probe, answer]] of (
      [
        [101, 3],
        [102, 1],
        [101, 1],
      ] as const
    ).entries()) {
      expect(await shade(trials[i].probe)).toBe(probe);
      expect(await shade(trials[i].support[trials[i].answer])).toBe(answer);
      expect(await Promise.all(trials[i].support.map(shade))).toEqual([1, 2, 3]);
    }
  });

  it("says what is wrong", async () => {
    await expect(readOneShotRuns(folder)).rejects.toThrow(
      /there are no runs; expected sub-folders with class_labels\.txt/,
    );
    await expect(readOneShotRuns(at("none"))).rejects.toThrow(`${at("none")}: cannot be read`);
    await run("run01", 2, line("run01", 1, 3));
    await expect(readOneShotRuns(folder)).rejects.toThrow(
      /run01\/class_labels\.txt: .*class03\.pgm is not among the run's/,
    );
    await run("run01", 2, line("run01", 1, 2));
    await run("run02", 3, line("run02", 1, 2));
    await expect(readOneShotRuns(folder)).rejects.toThrow(/the runs have 2 and 3 training drawings/);
  });
});

const archive = resolve(import.meta.dirname, "../../../shared/data/omniglot/images_background.tar.gz");
describe.skipIf(!existsSync(archive))("Omniglot (../shared/data)", () => {
  it("its layout is one identity for each character of each alphabet; runs made of it can be read", async () => {
    execFileSync("tar", ["xzf", archive, "-C", folder, "images_background/Korean"]);
    const dataset = await imageFolder(at("images_background"));
    expect(dataset.identities).toHaveLength(40);
    expect(dataset.identities[0]).toBe("Korean/character01");
    expect(dataset.items).toHaveLength(800);
    const pixels = await dataset.items[0].decode([105, 105, 1]);
    expect(new Set(pixels)).toEqual(new Set([0, 255])); // ink and paper
    expect(pixels.filter((value) => value === 0).length).toBeLessThan(105 * 105 * 0.2);

    // A run as Lake made them: twenty characters, one drawer's to learn from, another's to ask about.
    await mkdir(at("runs", "run01", "training"), { recursive: true });
    await mkdir(at("runs", "run01", "test"), { recursive: true });
    let labels = "";
    for (let n = 0; n < 20; n++) {
      const two = String(n + 1).padStart(2, "0");
      await copyFile(dataset.items[20 * n].name, at("runs", "run01", "training", `class${two}.png`));
      await copyFile(dataset.items[20 * n + 7].name, at("runs", "run01", "test", `item${two}.png`));
      labels += `run01/test/item${two}.png run01/training/class${two}.png\n`;
    }
    await writeFile(at("runs", "run01", "class_labels.txt"), labels);
    const { trials, ways } = await readOneShotRuns(at("runs"));
    expect([trials.length, ways]).toEqual([20, 20]);
  });
});
if (!existsSync(archive)) it.skip(`no ${archive}: its layout is not tested`, () => {});
