import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { identityGroups, labelsOf } from "../../../src/data/dataset.ts";
import { allPairs, oneShotTrials, pairsPerIdentity } from "../../../src/data/sampling/evaluationPairs.ts";
import { constantPictures } from "../stubDataset.ts";

describe("evaluation questions", () => {
  it("allPairs: every pair once", () => {
    const pairs = allPairs([0, 0, 1]);
    expect(pairs).toEqual([
      { left: 0, right: 1, same: true },
      { left: 0, right: 2, same: false },
      { left: 1, right: 2, same: false },
    ]);
  });

  it("pairsPerIdentity: distinct, labeled correctly, balanced, and as many as requested where possible", () => {
    fc.assert(
      fc.property(
        fc.array(fc.integer({ min: 0, max: 5 }), { minLength: 12, maxLength: 60 }),
        fc.integer({ min: 1, max: 8 }),
        fc.nat(),
        (labels, perIdentity, seed) => {
          const sizes = [0, 1, 2, 3, 4, 5].map((label) => labels.filter((other) => other === label).length);
          fc.pre(sizes.filter((size) => size > 0).length > 1 && sizes.some((size) => size > 1));
          const pairs = pairsPerIdentity(labels, { perIdentity, seed });
          for (const { left, right, same } of pairs) {
            expect(left).not.toBe(right);
            expect(same).toBe(labels[left] === labels[right]);
          }
          const keys = pairs.map(({ left, right }) => Math.min(left, right) * 1000 + Math.max(left, right));
          expect(new Set(keys).size).toBe(pairs.length);
          const wanted = sizes.reduce((sum, size) => sum + Math.min(perIdentity, (size * (size - 1)) / 2), 0);
          expect(pairs.filter((pair) => pair.same).length).toBe(wanted);
          expect(pairs.filter((pair) => !pair.same).length).toBeLessThanOrEqual(wanted);
        },
      ),
    );
  });

  it("pairsPerIdentity: as many impostor pairs as genuine pairs on ordinary data", () => {
    const labels = labelsOf(constantPictures(10, 10));
    const pairs = pairsPerIdentity(labels, { perIdentity: 20, seed: 1 });
    expect(pairs.filter((pair) => pair.same).length).toBe(200);
    expect(pairs.filter((pair) => !pair.same).length).toBe(200);
  });

  it("oneShotTrials: one picture of each of N identities, the probe's other picture at the answer, placed uniformly", () => {
    const labels = labelsOf(constantPictures(8, 3));
    const trials = oneShotTrials(labels, { ways: 5, trials: 2000, seed: 1 });
    const answers = new Array(5).fill(0);
    for (const { probe, support, answer } of trials) {
      expect(new Set(support.map((index) => labels[index])).size).toBe(5);
      expect(labels[support[answer]]).toBe(labels[probe]);
      expect(support[answer]).not.toBe(probe);
      answers[answer]++;
    }
    for (const count of answers) expect(Math.abs(count - 400)).toBeLessThan(5 * Math.sqrt(400));
  });

  it("oneShotTrials: several pictures of each, none of them the probe, within groups that take turns", () => {
    fc.assert(
      fc.property(
        fc.array(fc.nat(9), { minLength: 20, maxLength: 80 }),
        fc.integer({ min: 2, max: 3 }),
        fc.integer({ min: 1, max: 3 }),
        fc.nat(),
        (labels, ways, shots, seed) => {
          const groups = Array.from({ length: 10 }, (_, identity) => Math.floor(identity / 4)); // of 4, 4 and 2
          const sizes = groups.map((_, identity) => labels.filter((label) => label === identity).length);
          const usable = [0, 1, 2].filter((group) => {
            const own = sizes.filter((_, identity) => groups[identity] === group);
            return own.filter((size) => size >= shots).length >= ways && own.some((size) => size > shots);
          });
          const ask = () => oneShotTrials(labels, { ways, shots, trials: 7, seed, groups });
          if (usable.length === 0) {
            expect(ask).toThrow(/within groups need/);
            return;
          }
          for (const [number, { probe, support, answer, shots: told }] of ask().entries()) {
            expect([told, support.length]).toEqual([shots, ways * shots]);
            expect(new Set([probe, ...support]).size).toBe(ways * shots + 1);
            const shown = Array.from({ length: ways }, (_, way) =>
              support.slice(way * shots, (way + 1) * shots).map((index) => labels[index]),
            );
            expect(shown.every((own) => new Set(own).size === 1)).toBe(true);
            expect(new Set(shown.map(([identity]) => identity)).size).toBe(ways);
            expect(shown[answer][0]).toBe(labels[probe]);
            expect(new Set(shown.map(([identity]) => groups[identity]))).toEqual(
              new Set([usable[number % usable.length]]),
            );
          }
        },
      ),
    );
  });

  it("identityGroups: the folder above each identity's", () => {
    const identities = ["Korean/character01", "Greek/character01", "Korean/character02", "a/b/c", "ada"];
    expect(identityGroups({ identities, items: [] })).toEqual({
      names: ["Korean", "Greek", "a/b", ""],
      groups: Int32Array.of(0, 1, 0, 2, 3),
    });
  });

  it("rejects impossible tasks", () => {
    const few = { trials: 1, seed: 1 };
    expect(() => oneShotTrials([0, 0, 1], { ways: 2, shots: 2, ...few })).toThrow(
      /2-way 2-shot trials need 2 identities with 2 pictures; there are 1/,
    );
    expect(() => oneShotTrials([0, 0, 1, 1], { ways: 2, shots: 2, ...few })).toThrow(/an identity with 3 pictures/);
    expect(() => oneShotTrials([0, 0, 1, 1], { ways: 2, shots: 0, ...few })).toThrow(/at least 1 shot/);
    expect(() => oneShotTrials([0, 0, 1, 1, 1, 2], { ways: 3, groups: [0, 0, 1], ...few })).toThrow(
      /3-way one-shot trials within groups need 3 identities .* the largest group has 2/,
    );
    expect(() => oneShotTrials([0, 0, 1], { ways: 5, trials: 1, seed: 1 })).toThrow(/need 5 identities; there are 2/);
    expect(() => oneShotTrials([0, 0, 1], { ways: 1, trials: 1, seed: 1 })).toThrow(/at least 2 ways/);
    expect(() => pairsPerIdentity([0, 1, 2], { perIdentity: 2, seed: 1 })).toThrow(/an identity with 2 pictures/);
    expect(() => pairsPerIdentity([0, 0], { perIdentity: 2, seed: 1 })).toThrow(/need 2 identities; there are 1/);
  });
});
