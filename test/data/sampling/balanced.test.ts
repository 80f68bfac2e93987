import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { balancedPairs, perClass, triplets } from "../../../src/data/sampling/balanced.ts";
import { people, take } from "../stubDataset.ts";

/** Eight pictures of one person, two of another, one of a third. */
const uneven = [0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 2];

/** Five standard deviations of a binomial count. */
const near = (count: number, draws: number, share: number) =>
  expect(Math.abs(count - draws * share)).toBeLessThan(5 * Math.sqrt(draws * share * (1 - share)));

describe("balancedPairs", () => {
  it("draws genuine and impostor pairs equally often, identities uniformly, and never a picture with itself", () => {
    const draws = 30_000;
    const pairs = take(balancedPairs(uneven, { seed: 2 }), draws);
    const same = pairs.filter(({ left, right }) => uneven[left] === uneven[right]);
    near(same.length, draws, 1 / 2);
    near(same.filter(({ left }) => uneven[left] === 0).length, same.length, 1 / 2);
    expect(pairs.every(({ left, right }) => left !== right)).toBe(true);
    near(pairs.filter(({ left }) => left === 10).length, draws - same.length, 1 / 3);
  });

  it("counts an epoch as many pairs as there are pictures", () => {
    const epochs = take(balancedPairs(people(2, 3), { seed: 1 }), 13).map((pair) => pair.epoch);
    expect(epochs).toEqual([0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 1, 1, 2]);
  });
});

describe("triplets", () => {
  it("have two pictures of one identity and one of another, for any labels", () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: -2, max: 9 }), { maxLength: 30 }), fc.nat(), (others, seed) => {
        const labels = [...others, 4, 4, 5];
        for (const { anchor, positive, negative } of take(triplets(labels, { seed }), 40)) {
          expect(labels[anchor]).toBe(labels[positive]);
          expect(anchor).not.toBe(positive);
          expect(labels[negative]).not.toBe(labels[anchor]);
        }
      }),
    );
  });

  it("draw the anchor's and the negative's identity uniformly, then their pictures", () => {
    const draws = 30_000;
    const drawn = take(triplets(uneven, { seed: 3 }), draws);
    const ofSecond = drawn.filter(({ anchor }) => uneven[anchor] === 1);
    near(ofSecond.length, draws, 1 / 2);
    near(ofSecond.filter(({ anchor }) => anchor === 8).length, ofSecond.length, 1 / 2);
    near(ofSecond.filter(({ negative }) => negative === 10).length, ofSecond.length, 1 / 2);
    near(ofSecond.filter(({ negative }) => negative === 0).length, ofSecond.length, 1 / 16);
    expect(drawn[10].epoch).toBe(0);
    expect(drawn[11].epoch).toBe(1);
  });
});

describe("perClass", () => {
  it("holds K pictures of each of P identities, without repetition where there are enough", () => {
    fc.assert(
      fc.property(
        fc.array(fc.integer({ min: 2, max: 7 }), { minLength: 2, maxLength: 12 }),
        fc.integer({ min: 2, max: 6 }),
        fc.integer({ min: 2, max: 9 }),
        fc.nat(),
        (sizes, wanted, picturesPerIdentity, seed) => {
          const identitiesPerBatch = Math.min(wanted, sizes.length);
          const labels = [...sizes.flatMap((size, label) => new Array(size).fill(label)), 98, 99];
          for (const { pictures } of take(perClass(labels, { seed, identitiesPerBatch, picturesPerIdentity }), 10)) {
            expect(pictures).toHaveLength(identitiesPerBatch * picturesPerIdentity);
            const people = new Set(pictures.map((picture) => labels[picture]));
            expect(people.size).toBe(identitiesPerBatch);
            for (let first = 0; first < pictures.length; first += picturesPerIdentity) {
              const group = pictures.slice(first, first + picturesPerIdentity);
              const label = labels[group[0]];
              expect(group.every((picture) => labels[picture] === label)).toBe(true);
              expect(new Set(group).size).toBe(Math.min(picturesPerIdentity, sizes[label]));
              const times = [...new Set(group)].map((picture) => group.filter((other) => other === picture).length);
              expect(Math.max(...times) - Math.min(...times)).toBeLessThanOrEqual(1);
            }
          }
        },
      ),
    );
  });

  it("draws identities uniformly, whatever their number of pictures, and counts epochs in pictures", () => {
    const draws = 20_000;
    const labels = [...new Array(20).fill(0), 1, 1, 2, 2, 3, 3];
    const batches = take(perClass(labels, { seed: 1, identitiesPerBatch: 2, picturesPerIdentity: 2 }), draws);
    for (const label of [0, 1, 2, 3]) {
      near(batches.filter(({ pictures }) => pictures.some((p) => labels[p] === label)).length, draws, 1 / 2);
    }
    expect(batches[6].epoch).toBe(0);
    expect(batches[7].epoch).toBe(1); // 28 of 26 pictures
  });

  it.each([
    [{ identitiesPerBatch: 5, picturesPerIdentity: 2 }, /5 identities with 2 pictures each .* there are 4/],
    [{ identitiesPerBatch: 1, picturesPerIdentity: 2 }, /identitiesPerBatch 1: expected an integer of at least 2/],
    [{ identitiesPerBatch: 2, picturesPerIdentity: 1.5 }, /picturesPerIdentity 1.5: expected an integer of at least 2/],
  ])("refuses %j", (options, reason) => {
    expect(() => perClass([...people(4, 2), 7], { ...options, seed: 1 })).toThrow(reason);
  });
});

describe("all of them", () => {
  it.each([
    ["balanced pairs", (labels: number[]) => balancedPairs(labels, { seed: 1 })],
    ["triplets", (labels: number[]) => triplets(labels, { seed: 1 })],
    ["batches of", (labels: number[]) => perClass(labels, { seed: 1, identitiesPerBatch: 2, picturesPerIdentity: 2 })],
  ])("%s reject a single identity, one picture per identity, and invalid labels", (name, make) => {
    expect(() => make(people(1, 5))).toThrow(new RegExp(`${name}.*at least 2 identities; there are 1`));
    expect(() => make(people(5, 1))).toThrow(new RegExp(`${name}.*at least 2 pictures`));
    expect(() => make([])).toThrow(/there are 0/);
    expect(() => make([0, 0, 1, Number.NaN])).toThrow(/label NaN of picture 3/);
  });
});
