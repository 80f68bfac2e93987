// The pair stream has the distribution of the article's pipeline, which decodes first and filters afterwards: compared
// with brute-force enumeration for a few pictures, and with the article's pipeline for many.
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { expectedPairs } from "../../../src/data/sampling/expectedPairs.ts";
import { filteredPairs } from "../../../src/data/sampling/filteredPairs.ts";
import { uniform } from "../../random.ts";
import { articlePairs, firstKept, sameCandidates, shuffledOrders } from "../../reference/network/articlePairs.ts";
import { chiSquare, chiSquareLimit, twoSamples } from "../../statistics.ts";
import { people, take } from "../stubDataset.ts";

const expectFit = ({ chi2, freedom }: { chi2: number; freedom: number }) => {
  expect(freedom).toBeGreaterThan(2);
  expect(chi2).toBeLessThan(chiSquareLimit(freedom));
};

describe("the reference", () => {
  it("shuffles a few elements into every order with the enumerated probability", () => {
    const orders = shuffledOrders(5, 3);
    expect(orders.reduce((sum, { probability }) => sum + probability, 0)).toBeCloseTo(1, 12);
    const random = uniform(1);
    const counts = new Map<string, number>();
    const draws = 40_000;
    const options = { sameProbability: 1, differentProbability: 1, shuffleBuffer: 3, random };
    const pairs = articlePairs([0, 1, 2, 3, 4], (index) => index, options);
    for (let epoch = 0; epoch < draws; epoch++) {
      const key = take(pairs, 5)
        .map(([left]) => left.picture)
        .join("");
      counts.set(key, (counts.get(key) ?? 0) + 1);
    }
    const found = orders.map(({ order }) => counts.get(order.join("")) ?? 0);
    expect(found.reduce((sum, count) => sum + count, 0)).toBe(draws);
    expectFit(
      chiSquare(
        found,
        orders.map(({ probability }) => probability * draws),
      ),
    );
  });
});

describe("filteredPairs", () => {
  it.each([
    [
      "a buffer that holds everything",
      [0, 0, 1, 1, 2],
      { sameProbability: 0.9, differentProbability: 0.3, shuffleBuffer: 2000 },
    ],
    ["a small buffer", [0, 0, 1, 1, 2], { sameProbability: 0.9, differentProbability: 0.3, shuffleBuffer: 2 }],
    [
      "a buffer of three, a rare kind",
      [0, 1, 0, 2, 1],
      { sameProbability: 0.05, differentProbability: 0.7, shuffleBuffer: 3 },
    ],
    ["only genuine pairs", [0, 0, 0, 1, 1], { sameProbability: 0.95, differentProbability: 0, shuffleBuffer: 4 }],
    ["only impostor pairs", [0, 0, 0, 1, 1], { sameProbability: 0, differentProbability: 0.5, shuffleBuffer: 4 }],
  ])("the first pair kept in an epoch has the enumerated distribution: %s", (_, labels, keep) => {
    const count = labels.length;
    const epochs = 40_000;
    const counts = new Float64Array(count * count + 1);
    const pairs = filteredPairs(labels, { ...keep, seed: 1 });
    // Every epoch is an independent draw: its first pair, or none (the last cell).
    let pair = pairs.next().value;
    for (let epoch = 0; epoch < epochs; epoch++) {
      if (pair.epoch > epoch) {
        counts[count * count]++;
        continue;
      }
      counts[pair.left * count + pair.right]++;
      while (pair.epoch === epoch) pair = pairs.next().value;
    }
    const { pairs: chances, none } = firstKept(labels, keep);
    expectFit(
      chiSquare(
        counts,
        [...chances, none].map((chance) => chance * epochs),
      ),
    );
  });

  it("has the article's distribution for many pictures, whether the buffer holds them all or not", () => {
    // 60 people, sorted as a folder is; two samples of where pairs come from, how far apart, and their kind.
    const labels = people(60, 5);
    for (const shuffleBuffer of [20, 150, 2000]) {
      const keep = { sameProbability: 0.95, differentProbability: 0.01, shuffleBuffer };
      const cell = (left: number, right: number) => {
        const kind = labels[left] === labels[right] ? 0 : 1;
        return (kind * 5 + Math.floor(left / 60)) * 5 + Math.floor(right / 60);
      };
      const draws = 20_000;
      const ours = new Float64Array(50);
      const theirs = new Float64Array(50);
      for (const { left, right } of take(filteredPairs(labels, { ...keep, seed: 3 }), draws)) ours[cell(left, right)]++;
      const article = articlePairs(labels, (index) => index, { ...keep, random: uniform(4) });
      for (const [left, right] of take(article, draws)) theirs[cell(left.picture, right.picture)]++;
      expectFit(twoSamples(ours, theirs));
    }
  });

  it("yields as many pairs per epoch as the article, with its parameters: 950 identities, 0.95 and 0.001", () => {
    const labels = people(950, 4);
    const keep = { sameProbability: 0.95, differentProbability: 0.001, shuffleBuffer: 2000 };
    const expected = expectedPairs(labels, keep);
    let decodes = 0;
    const decode = (index: number) => {
      decodes++;
      return index;
    };
    const draws = 2000;
    const kept = { same: 0, different: 0 };
    const article = articlePairs(labels, decode, { ...keep, random: uniform(5) });
    for (const [left, right] of take(article, draws)) kept[left.label === right.label ? "same" : "different"]++;
    const pairs = take(filteredPairs(labels, { ...keep, seed: 5 }), draws);
    const ours = pairs.filter(({ left, right }) => labels[left] === labels[right]).length;
    // Five standard deviations of the share of a kind, for either sample.
    const share = expected.same / (expected.same + expected.different);
    const bound = 5 * Math.sqrt((share * (1 - share)) / draws);
    expect(Math.abs(kept.same / draws - share)).toBeLessThan(bound);
    expect(Math.abs(ours / draws - share)).toBeLessThan(bound);
    // And of the number of candidates that the pairs took: two decodes for each in the article's order.
    const candidates = (draws * expected.candidates) / (expected.same + expected.different);
    expect(Math.abs(decodes / 2 - candidates)).toBeLessThan((5 * candidates) / Math.sqrt(draws));
    const passes = pairs[draws - 1].epoch + 1;
    expect(Math.abs(passes * labels.length - candidates)).toBeLessThan(
      (5 * candidates) / Math.sqrt(draws) + labels.length,
    );
    expect(decodes / draws).toBeGreaterThan(300);
  });
});

describe("expectedPairs", () => {
  it("matches brute-force counts for any labels, order and buffer", () => {
    fc.assert(
      fc.property(
        fc.array(fc.integer({ min: 0, max: 3 }), { minLength: 1, maxLength: 5 }),
        fc.integer({ min: 1, max: 7 }),
        (labels, shuffleBuffer) => {
          const keep = { sameProbability: 0.5, differentProbability: 0.25 };
          const expected = expectedPairs(labels, keep, shuffleBuffer);
          const same = sameCandidates(labels, shuffleBuffer);
          expect(expected.candidatesSame).toBeCloseTo(same, 10);
          expect(expected.candidatesDifferent).toBeCloseTo(labels.length - same, 10);
          expect(expected.same).toBeCloseTo(same / 2, 10);
          expect(expected.different).toBeCloseTo((labels.length - same) / 4, 10);
        },
      ),
    );
  });

  it("is the sum over identities of n^2 / N where the buffer holds all, exact for one identity", () => {
    const keep = { sameProbability: 1, differentProbability: 1 };
    expect(expectedPairs(people(40, 10), keep).candidatesSame).toBeCloseTo(10, 12);
    expect(expectedPairs(people(1, 50), keep, 3)).toMatchObject({ candidatesSame: 50, candidatesDifferent: 0 });
    expect(expectedPairs([], keep)).toMatchObject({ candidates: 0, candidatesSame: 0, candidatesDifferent: 0 });
  });
});
