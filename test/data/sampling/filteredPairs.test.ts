import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { Random, streams } from "../../../src/data/random.ts";
import {
  balancingDifferentProbability,
  expectedPairs,
  yieldWarnings,
} from "../../../src/data/sampling/expectedPairs.ts";
import { filteredPairs, type Pair } from "../../../src/data/sampling/filteredPairs.ts";
import { ShuffledPass } from "../../../src/data/sampling/shuffledPass.ts";
import { people, take } from "../stubDataset.ts";

function shuffledPass(count: number, buffer: number, random: Random): number[] {
  const pass = new ShuffledPass(count, buffer, random);
  const order = [];
  while (pass.remaining > 0) order.push(pass.next());
  return order;
}

describe("shuffledPass", () => {
  it("is a permutation, and no element leaves before it enters the buffer", () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 60 }), fc.integer({ min: 1, max: 80 }), fc.nat(), (count, buffer, seed) => {
        const order = [...shuffledPass(count, buffer, new Random(seed, streams.leftPass))];
        expect([...order].sort((a, b) => a - b)).toEqual(Array.from({ length: count }, (_, i) => i));
        for (const [position, element] of order.entries()) expect(element).toBeLessThan(position + buffer);
      }),
    );
  });

  it("is uniform over permutations when the buffer holds everything", () => {
    const counts = new Map<string, number>();
    for (let seed = 0; seed < 6000; seed++) {
      const key = [...shuffledPass(3, 2000, new Random(seed, streams.leftPass))].join("");
      counts.set(key, (counts.get(key) ?? 0) + 1);
    }
    const chi2 = [...counts.values()].reduce((sum, count) => sum + (count - 1000) ** 2 / 1000, 0);
    expect(counts.size).toBe(6);
    expect(chi2).toBeLessThan(20.52); // 5 degrees of freedom, p = 0.001
  });
});

describe("filteredPairs", () => {
  it("with both probabilities 1, keeps every picture once per epoch on either side", () => {
    const labels = people(5, 4);
    const epoch = take(filteredPairs(labels, { sameProbability: 1, differentProbability: 1, seed: 7 }), 40);
    for (const part of [epoch.slice(0, 20), epoch.slice(20)]) {
      for (const side of ["left", "right"] as const) expect(new Set(part.map((pair) => pair[side])).size).toBe(20);
    }
    expect(epoch.map((pair) => pair.epoch)).toEqual([...new Array(20).fill(0), ...new Array(20).fill(1)]);
  });

  it("yields genuine and impostor pairs as often as the article's filter", () => {
    const labels = [...people(20, 5), ...new Array(15).fill(20)];
    const keep = { sameProbability: 0.95, differentProbability: 0.05 };
    const expected = expectedPairs(labels, keep);
    const epochs = 400;
    const pairs = filteredPairs(labels, { ...keep, seed: 1 });
    let same = 0;
    let different = 0;
    for (let pair = pairs.next().value; pair.epoch < epochs; pair = pairs.next().value) {
      if (labels[pair.left] === labels[pair.right]) same++;
      else different++;
    }
    // Five standard deviations of a Poisson count bound either from above.
    expect(Math.abs(same - expected.same * epochs)).toBeLessThan(5 * Math.sqrt(expected.same * epochs));
    expect(Math.abs(different - expected.different * epochs)).toBeLessThan(5 * Math.sqrt(expected.different * epochs));
  });

  it("draws the two sides independently: each pair is equally likely", () => {
    const labels = [0, 0, 1, 1];
    const pairs = filteredPairs(labels, { sameProbability: 1, differentProbability: 1, seed: 5 });
    const counts = new Array(16).fill(0);
    for (const { left, right } of take(pairs, 32_000)) counts[left * 4 + right]++;
    for (const count of counts) expect(Math.abs(count - 2000)).toBeLessThan(5 * Math.sqrt(2000));
  });

  it("depends on the seed alone", () => {
    const options = { sameProbability: 0.9, differentProbability: 0.1 };
    const draw = (seed: number) => take(filteredPairs(people(6, 3), { ...options, seed }), 50);
    expect(draw(1)).toEqual(draw(1));
    expect(draw(1)).not.toEqual(draw(2));
  });

  it.each<[string, number[], number, number, RegExp, number?]>([
    ["both probabilities 0", people(3, 3), 0, 0, /never kept.*never kept/],
    ["one identity, only different", people(1, 5), 0, 1, /only one identity/],
    ["one picture for each, only same", people(5, 1), 1, 0, /no identity has two pictures/],
    ["no pictures", [], 1, 1, /no pictures/],
    ["a probability above 1", people(3, 3), 1.5, 1, /sameProbability 1.5: expected a probability/],
    ["a probability that is no number", people(3, 3), 1, Number.NaN, /differentProbability/],
    ["a buffer of one: both sides in the data's order", people(3, 3), 0, 1, /every picture is paired with itself/, 1],
    ["half a picture in the buffer", people(3, 3), 1, 1, /buffer 2.5: expected at least 2 pictures/, 2.5],
    ["probabilities that are as good as zero", people(3, 3), 1e-300, 1e-12, /one candidate in 1\.\d?e\+12/],
    ["a label that is no integer", [0, 0.5], 1, 1, /label 0.5 of picture 1/],
  ])("rejects immediately: %s", (_, labels, sameProbability, differentProbability, reason, shuffleBuffer = 2000) => {
    const options = { sameProbability, differentProbability, shuffleBuffer, seed: 1 };
    expect(() => filteredPairs(labels, options)).toThrow(reason);
    expect(() => filteredPairs(labels, options)).toThrow(expect.objectContaining({ code: "BAD_INPUT" }));
  });

  it("rejects any options immediately, or yields only pairs of the permitted kinds", () => {
    const probability = fc.oneof(fc.constantFrom(0, 1, 1e-320, 1e-5), fc.double({ min: 0, max: 1, noNaN: true }));
    const label = fc.oneof(fc.integer({ min: 0, max: 3 }), fc.constantFrom(-1, 2 ** 31, 2 ** 40));
    fc.assert(
      fc.property(
        fc.array(label, { maxLength: 30 }),
        fc.record({ sameProbability: probability, differentProbability: probability, seed: fc.maxSafeNat() }),
        fc.oneof(fc.integer({ min: 0, max: 4 }), fc.integer({ min: 1, max: 2 ** 40 })),
        (labels, options, shuffleBuffer) => {
          let pairs: Iterator<Pair, never>;
          try {
            pairs = filteredPairs(labels, { ...options, shuffleBuffer });
          } catch (error) {
            expect(error).toMatchObject({ name: "TwingradError", code: "BAD_INPUT" });
            return;
          }
          const { same, different, candidates } = expectedPairs(labels, options, shuffleBuffer);
          // Slow yields are not tested here: they are rejected only where a pair would take seconds.
          const count = Math.min(20, Math.floor((2000 * (same + different)) / candidates));
          for (const pair of take(pairs, count)) {
            const kind = labels[pair.left] === labels[pair.right] ? "sameProbability" : "differentProbability";
            expect(options[kind]).toBeGreaterThan(0);
          }
        },
      ),
      { numRuns: 500 },
    );
  });

  it("balances by the probability for impostor pairs", () => {
    const labels = people(40, 10);
    const differentProbability = balancingDifferentProbability(labels, 1);
    const { same, different } = expectedPairs(labels, { sameProbability: 1, differentProbability });
    expect(different).toBeCloseTo(same, 9);
    expect(same).toBeCloseTo(10, 9); // 40 identities x 10^2 pictures / 400
  });
});

describe("yieldWarnings", () => {
  const labels = people(950, 4);

  it("warns of nothing where both kinds are frequent enough, as with the article's parameters", () => {
    expect(yieldWarnings(labels, { sameProbability: 0.95, differentProbability: 0.001 })).toEqual([]);
  });

  it("warns of an unbalanced yield with its numbers, the rarer kind, and the remedy", () => {
    const [many, ...more] = yieldWarnings(labels, { sameProbability: 1, differentProbability: 1 }, 4000);
    expect(more).toEqual([]);
    // 3800 candidates, 950 * 4^2 / 3800 = 4 genuine pairs.
    expect(many).toMatch(/about 4 genuine pairs \(of 4 candidates\) and 3,800 impostor pairs \(of 3,800\)/);
    expect(many).toMatch(/only 0\.105 % are genuine pairs.*--balanced/);
    const [few] = yieldWarnings(labels, { sameProbability: 1, differentProbability: 0 }, 4000);
    expect(few).toMatch(/and 0 impostor pairs \(of 3,800\): only 0 % are impostor pairs/);
  });

  it("warns of pictures that can only be paired with themselves, and of a filter that drops nearly everything", () => {
    const lone = yieldWarnings(people(30, 1), { sameProbability: 1, differentProbability: 0.03 });
    expect(lone).toEqual([expect.stringMatching(/no identity has two pictures: .* with itself/)]);
    const slow = yieldWarnings(people(2, 50), { sameProbability: 1e-6, differentProbability: 1e-6 });
    expect(slow).toEqual([expect.stringMatching(/one candidate in 1,000,000: .* --balanced/)]);
  });
});
