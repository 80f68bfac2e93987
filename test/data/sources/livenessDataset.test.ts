import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { livenessBatches } from "../../../src/data/batches.ts";
import { subset } from "../../../src/data/dataset.ts";
import { DecodedImages } from "../../../src/data/decodedImages.ts";
import type { PictureFile } from "../../../src/data/sources/folders.ts";
import {
  balancedLiveness,
  type LivenessDataset,
  livenessFolder,
  livenessRecords,
  peopleOfKinds,
  splitLiveness,
} from "../../../src/data/sources/livenessDataset.ts";
import { take } from "../stubDataset.ts";

const files = (paths: readonly string[]) =>
  paths.map((path, index): PictureFile => {
    return { path, name: `/data/${path}`, decode: async ([h, w, c]) => new Uint8Array(h * w * c).fill(index) };
  });

const opened = (paths: readonly string[]) => {
  const warnings: string[] = [];
  return { dataset: livenessFolder("/data", files(paths), (text) => warnings.push(text)), warnings };
};

/** Identities with the kinds of their pictures, as "ada:ls ben:l": l is bona fide, s a presentation attack. */
const people = (text: string): LivenessDataset =>
  opened(
    text.split(" ").flatMap((word) => {
      const [name, kinds] = word.split(":");
      return [...kinds].map((kind, n) => `${kind === "l" ? "live" : "spoof"}/${name}/${n}.jpg`);
    }),
  ).dataset;

const names = ({ identities }: LivenessDataset) => [...identities].sort();

describe("livenessFolder", () => {
  it("treats a name in both live and spoof as one person", () => {
    const { dataset, warnings } = opened(["spoof/ben/1.jpg", "live/ada/1.jpg", "spoof/ada/1.jpg", "live/ada/2.jpg"]);
    expect(dataset.identities).toEqual(["ada", "ben"]);
    expect(dataset.items.map(({ name, identity, live }) => [name, identity, live])).toEqual([
      ["/data/live/ada/1.jpg", 0, true],
      ["/data/spoof/ada/1.jpg", 0, false],
      ["/data/live/ada/2.jpg", 0, true],
      ["/data/spoof/ben/1.jpg", 1, false],
    ]);
    expect(warnings).toEqual([]);
  });

  it("treats each picture without a person's folder as its own person, with a warning", () => {
    const { dataset, warnings } = opened(["live/1.jpg", "spoof/1.jpg", "spoof/ben/2.jpg"]);
    expect(dataset.identities).toHaveLength(3);
    expect(warnings).toEqual([
      expect.stringMatching(/^2 pictures are directly in live or spoof .* both sides of a split/),
    ]);
  });

  it.each([
    [["ada/1.jpg", "live/ada/2.jpg"], /ada\/1\.jpg: .* folders live and spoof/],
    [["1.jpg"], /1\.jpg: .* folders live and spoof/],
    [["live/ada/1.jpg"], /both folders, live and spoof; there are 1 and 0/],
  ])("%j is rejected", (paths, reason) => {
    expect(() => opened(paths)).toThrow(reason);
  });
});

describe("livenessRecords", () => {
  const records = (...texts: string[]) => {
    const names = [...new Set(texts.map((text) => text.split(" ")[1] ?? text))];
    const items = texts.map((text, n) => {
      const [label, name] = text.split(" ");
      const decode = async () => new Uint8Array();
      return {
        identity: names.indexOf(name ?? text),
        label,
        named: name !== undefined,
        name: `f: record ${n}`,
        decode,
      };
    });
    const warnings: string[] = [];
    return { dataset: livenessRecords({ identities: names, items }, (text) => warnings.push(text)), warnings };
  };

  it("reads the kind from the label and the person from the name", () => {
    const { dataset, warnings } = records("1 ben", "spoof ada", "live ada", "0");
    expect(dataset.identities).toEqual(["ada", "ben", "f: record 3"]);
    expect(dataset.items.map(({ identity, live }) => [identity, live])).toEqual([
      [1, true],
      [0, false],
      [0, true],
      [2, false],
    ]);
    expect(warnings).toEqual([expect.stringMatching(/^1 records have no name: each counts as a person of its own/)]);
  });

  it("rejects other labels, and data of a single kind", () => {
    expect(() => records("live ada", "2 ben")).toThrow(
      /f: record 1: invalid label "2"; for liveness expected live or 1, spoof or 0/,
    );
    expect(() => records("live ada", "1 ben")).toThrow(/there are 2 and 0/);
  });
});

/** Two to twenty people of each mixture of kinds, with one to three pictures of each of their kinds. */
const anybody = fc
  .array(fc.constantFrom("l", "s", "ls", "lls", "lss"), { minLength: 6, maxLength: 30 })
  .map((kinds) => people(`${kinds.map((kind, n) => `p${n}:${kind}`).join(" ")} a:ls b:ls c:ls`));

describe("splitLiveness", () => {
  it("puts no person in both parts, loses no picture, and leaves both kinds in both", () => {
    fc.assert(
      fc.property(anybody, fc.double({ min: 0.05, max: 0.5, noNaN: true }), fc.nat(), (dataset, fraction, seed) => {
        const { training, heldOut } = splitLiveness(dataset, { fraction, seed });
        expect(names(training).filter((name) => heldOut.identities.includes(name))).toEqual([]);
        expect([...training.identities, ...heldOut.identities].sort()).toEqual(names(dataset));
        const of = ({ identities, items }: LivenessDataset) =>
          items.map((item) => `${identities[item.identity]} ${item.name} ${item.live}`);
        expect([...of(training), ...of(heldOut)].sort()).toEqual(of(dataset).sort());
        const [held, trained] = [peopleOfKinds(heldOut), peopleOfKinds(training)];
        expect(Math.min(held.live, held.spoof)).toBeGreaterThanOrEqual(2);
        expect(Math.min(trained.live, trained.spoof)).toBeGreaterThanOrEqual(1);
      }),
    );
  });

  it("depends on the seed and on the names, not on their order", () => {
    const dataset = people("a:ls b:ls c:ls d:ls e:ls f:ls g:ls h:ls i:ls j:ls");
    const reversed = subset(dataset, dataset.identities.map((_, person) => person).reverse());
    const held = (data: LivenessDataset, seed: number) => names(splitLiveness(data, { fraction: 0.3, seed }).heldOut);
    expect(held(dataset, 1)).toHaveLength(3);
    expect(held(reversed, 1)).toEqual(held(dataset, 1));
    expect(new Set([1, 2, 3, 4, 5].map((seed) => held(dataset, seed).join())).size).toBeGreaterThan(2);
  });

  it("holds out the same share of the people with bona fide pictures, attacks, and both", () => {
    const kinds = [..."llllllllll", ..."ssssssssss"].map((kind, n) => `p${n}:${kind}`);
    const both = Array.from({ length: 10 }, (_, n) => `q${n}:ls`);
    for (let seed = 0; seed < 20; seed++) {
      const { heldOut } = splitLiveness(people([...kinds, ...both].join(" ")), { fraction: 0.2, seed });
      expect(heldOut.identities.filter((name) => name.startsWith("q"))).toHaveLength(2);
      expect(peopleOfKinds(heldOut)).toEqual({ live: 4, spoof: 4 });
    }
  });

  it("folds: every person is held out once, with the same share of each kind", () => {
    const dataset = people([..."abcdefghi"].map((name) => `${name}:ls`).join(" "));
    const held = [1, 2, 3].flatMap((number) => {
      const { training, heldOut } = splitLiveness(dataset, { fraction: 0.2, fold: { number, of: 3 }, seed: 1 });
      expect(names(training).filter((name) => heldOut.identities.includes(name))).toEqual([]);
      expect(peopleOfKinds(heldOut)).toEqual({ live: 3, spoof: 3 });
      return heldOut.identities;
    });
    expect(held.sort()).toEqual(names(dataset));
    const part = (number: number, of: number) => () =>
      splitLiveness(dataset, { fraction: 0.2, fold: { number, of }, seed: 1 });
    expect(part(1, 1)).toThrow(/Cannot hold out part 1\/1 of 9 people/);
    expect(part(5, 5)).toThrow(/at least 2 people are held out/);
  });

  it.each([
    ["a:ls b:ls", 0.5],
    ["a:l b:l c:l d:s e:s", 0.2],
    ["a:ls b:ls c:ls d:ls", 0],
    ["a:ls b:ls c:ls d:ls", 1],
  ])("refuses %j at %f", (text, fraction) => {
    expect(() => splitLiveness(people(text), { fraction, seed: 1 })).toThrow(
      /^Cannot hold out .* 2 people are held out and 1 remains/,
    );
  });
});

describe("balancedLiveness", () => {
  const dataset = people("ada:llllllllls ben:lss cleo:ssss");

  it("alternates the kinds everywhere, and is uniform over people", () => {
    const drawn = take(balancedLiveness(dataset, { seed: 1 }), 6000).map(({ picture }) => dataset.items[picture]);
    expect(drawn.map((item) => item.live).slice(0, 6)).toEqual([true, false, true, false, true, false]);
    const share = (name: string, live: boolean) =>
      drawn.filter((item) => item.live === live && dataset.identities[item.identity] === name).length / 3000;
    // Four standard deviations of a share of 3000 draws are below 0.04.
    for (const name of ["ada", "ben"]) expect(Math.abs(share(name, true) - 1 / 2)).toBeLessThan(0.04);
    for (const name of ["ada", "ben", "cleo"]) expect(Math.abs(share(name, false) - 1 / 3)).toBeLessThan(0.04);
  });

  it("continues from its state, and rejects one of other data", () => {
    const sampler = balancedLiveness(dataset, { seed: 1 });
    take(sampler, 7);
    const state = JSON.parse(JSON.stringify(sampler.state()));
    const rest = take(sampler, 5);
    const again = balancedLiveness(dataset, { seed: 1 });
    again.restore(state);
    expect(take(again, 5)).toEqual(rest);
    const other = balancedLiveness(people("ada:lllllllls ben:llss cleo:ssss"), { seed: 1 });
    expect(() => other.restore(state)).toThrow(/labels have changed/);
    expect(rest.map(({ epoch }) => epoch)).toEqual([0, 0, 0, 0, 0]);
    expect(take(balancedLiveness(dataset, { seed: 1 }), 18).pop()!.epoch).toBe(1); // 17 pictures
  });

  it("decodes batches with their labels and seeds", async () => {
    const images = new DecodedImages(dataset, [2, 2, 1]);
    const stream = livenessBatches(images, balancedLiveness(dataset, { seed: 1 }), { batchSize: 4 });
    const { value } = await stream.next();
    expect([...value.live]).toEqual([1, 0, 1, 0]);
    const drawn = take(balancedLiveness(dataset, { seed: 1 }), 4).map(({ picture }) => picture);
    const first = await Promise.all(drawn.map((picture) => dataset.items[picture].decode([2, 2, 1])));
    expect([...value.images]).toEqual(first.flatMap((pixels) => [...pixels]));
    expect(new Set(value.seeds).size).toBe(4);
  });
});
