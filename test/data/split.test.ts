import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type Dataset, subset } from "../../src/data/dataset.ts";
import { type Fold, splitIdentities } from "../../src/data/split.ts";
import { constantPictures } from "./stubDataset.ts";

describe("splitIdentities", () => {
  it("puts no identity in both parts and loses none, whatever the seed", () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 4, max: 30 }),
        fc.double({ min: 0.05, max: 0.6, noNaN: true }),
        fc.nat(),
        (count, fraction, seed) => {
          const dataset = constantPictures(count, 2);
          fc.pre(count - Math.max(2, Math.round(fraction * count)) >= 2);
          const { training, heldOut } = splitIdentities(dataset, { fraction, seed });
          expect([...training.identities, ...heldOut.identities].sort()).toEqual([...dataset.identities].sort());
          const pictures = (part: Dataset) => part.items.map((item) => item.name);
          expect([...pictures(training), ...pictures(heldOut)].sort()).toEqual(pictures(dataset).sort());
          expect(pictures(heldOut).filter((name) => pictures(training).includes(name))).toEqual([]);
        },
      ),
    );
  });

  it("depends on the seed and on the names, not on their order", () => {
    const dataset = constantPictures(12, 1);
    const reversed = subset(dataset, dataset.identities.map((_, i) => i).reverse());
    const held = (data: Dataset, seed: number) =>
      [...splitIdentities(data, { fraction: 0.3, seed }).heldOut.identities].sort();
    expect(held(reversed, 1)).toEqual(held(dataset, 1));
    expect(held(dataset, 1)).not.toEqual(held(dataset, 2));
  });

  it.each([
    [3, 0.2],
    [10, 0.95],
    [10, 0],
    [10, 1],
  ])("rejects %i identities at %f", (count, fraction) => {
    expect(() => splitIdentities(constantPictures(count, 1), { fraction, seed: 1 })).toThrow(/Cannot hold out/);
  });

  const pictures = ({ items }: Dataset) => items.map((item) => item.name);

  it("folds: every identity is held out once, and the sizes differ by at most one", () => {
    fc.assert(
      fc.property(fc.integer({ min: 2, max: 8 }), fc.integer({ min: 0, max: 9 }), fc.nat(), (of, more, seed) => {
        const dataset = constantPictures(2 * of + more, 2);
        const held: string[] = [];
        for (let number = 1; number <= of; number++) {
          const { training, heldOut } = splitIdentities(dataset, { fraction: 0.2, fold: { number, of }, seed });
          expect([...pictures(training), ...pictures(heldOut)].sort()).toEqual(pictures(dataset).sort());
          expect(pictures(heldOut).filter((name) => pictures(training).includes(name))).toEqual([]);
          expect(Math.abs(heldOut.identities.length - dataset.identities.length / of)).toBeLessThan(1);
          held.push(...heldOut.identities);
        }
        expect(held.sort()).toEqual([...dataset.identities].sort());
      }),
    );
  });

  /** `sizes[g]` identities in group g, with two pictures each. */
  const grouped = (sizes: readonly number[]): Dataset => {
    const identities = sizes.flatMap((size, g) => Array.from({ length: size }, (_, i) => `group ${g}/person ${i}`));
    return { ...constantPictures(identities.length, 2), identities };
  };

  it("holds out whole groups: no group is in both parts, by fraction and by fold", () => {
    const groupsOf = ({ identities }: Dataset) => new Set(identities.map((name) => name.split("/")[0]));
    fc.assert(
      fc.property(
        fc.array(fc.integer({ min: 2, max: 5 }), { minLength: 3, maxLength: 12 }),
        fc.nat(),
        (sizes, seed) => {
          const dataset = grouped(sizes);
          const folds: (Fold | undefined)[] = [
            undefined,
            { number: 1, of: 3 },
            { number: 2, of: 3 },
            { number: 3, of: 3 },
          ];
          const all: string[] = [];
          for (const fold of folds) {
            const split = splitIdentities(dataset, { fraction: 1 / 3, fold, seed, wholeGroups: true });
            const held = groupsOf(split.heldOut);
            expect([...groupsOf(split.training)].filter((name) => held.has(name))).toEqual([]);
            expect(Math.abs(held.size - sizes.length / 3)).toBeLessThan(1);
            if (fold) all.push(...split.heldOut.identities);
          }
          expect(all.sort()).toEqual([...dataset.identities].sort());
        },
      ),
    );
  });

  it.each([
    [{ number: 3, of: 2 }, /Cannot hold out part 3\/2 of 10 identities/],
    [{ number: 0, of: 5 }, /part 0\/5/],
    [{ number: 1, of: 11 }, /at most as many folds as there are identities/],
    [{ number: 1, of: 8 }, /each side needs at least 2 identities/],
  ])("rejects the fold %o of 10 identities", (fold, message) => {
    expect(() => splitIdentities(constantPictures(10, 1), { fraction: 0.2, fold, seed: 1 })).toThrow(message);
  });

  it("rejects whole groups where there is only one", () => {
    const split = { fraction: 0.5, seed: 1, wholeGroups: true };
    expect(() => splitIdentities(constantPictures(10, 1), split)).toThrow(
      /all 10 identities are in one group; .* GROUP\/IDENT/,
    );
    expect(() => splitIdentities(grouped([5]), split)).toThrow(/in one/);
  });
});
