import { describe, expect, it } from "vitest";
import { allPairs, pairsPerIdentity } from "../../src/data/sampling/evaluationPairs.ts";
import { foldsOfPeople, verificationReport } from "../../src/evaluation/verificationReport.ts";

const labels = Array.from({ length: 60 }, (_, index) => Math.floor(index / 5)); // 12 people

describe("foldsOfPeople", () => {
  it("keeps an identity's pairs in one fold, and deals identities out evenly", () => {
    const pairs = pairsPerIdentity(labels, { perIdentity: 4, seed: 1 });
    const folds = foldsOfPeople(pairs, labels, 10);
    const foldsOf = new Map<number, Set<number>>();
    pairs.forEach(({ left }, position) => {
      const person = labels[left];
      foldsOf.set(person, (foldsOf.get(person) ?? new Set()).add(folds[position]));
    });
    const people = [...foldsOf.values()].map((own) => [...own]);
    expect(people.every((own) => own.length === 1)).toBe(true);
    const sizes = Array.from({ length: 10 }, (_, fold) => people.filter(([own]) => own === fold).length);
    expect(sizes.sort()).toEqual([1, 1, 1, 1, 1, 1, 1, 1, 2, 2]);
  });

  it("has genuine pairs in every fold, also when some identities have a single picture", () => {
    const uneven = [0, 0, 1, 2, 3, 3, 4];
    const pairs = allPairs(uneven);
    const folds = foldsOfPeople(pairs, uneven, 10);
    const ofOne = new Set(pairs.flatMap((pair, position) => (pair.same ? [folds[position]] : [])));
    expect([...ofOne].sort()).toEqual([0, 1]);
    expect(new Set(folds)).toEqual(new Set([0, 1]));
  });

  it("rejects data that cannot be cross-validated", () => {
    expect(() => foldsOfPeople(allPairs([0, 0, 1]), [0, 0, 1], 10)).toThrow(
      /at least 2 people with 2 pictures each; there are 1/,
    );
  });
});

describe("verificationReport", () => {
  const pairs = pairsPerIdentity(labels, { perIdentity: 10, seed: 1 });

  it("is perfect where distances separate the identities", () => {
    const scored = pairs.map(({ same }, position) => ({ same, distance: (same ? 1 : 2) + position * 1e-4 }));
    const { threshold, ...report } = verificationReport(scored, pairs, labels);
    expect(report).toEqual({
      pairs: 240,
      accuracy: 1,
      accuracyStd: 0,
      accuracyStandardError: 0,
      balancedAccuracy: 1,
      auc: 1,
      eer: 0,
      tarAtFar: { "0.1": 1, "0.01": 1, "0.001": 1 },
    });
    expect(threshold).toBeGreaterThan(1);
    expect(threshold).toBeLessThan(2);
  });

  it("is at chance level where distances are random", () => {
    const scored = pairs.map(({ same }) => ({ same, distance: 1 }));
    const report = verificationReport(scored, pairs, labels);
    expect(report).toMatchObject({ auc: 0.5, eer: 0.5, tarAtFar: { "0.1": 0, "0.01": 0, "0.001": 0 } });
    expect(report.accuracy).toBe(0.5);
  });
});

it("balanced accuracy does not depend on the numbers of pairs of each kind", () => {
  // Two people with two pictures each; 2 genuine pairs beside 200 impostor pairs; half of them are as near as the
  // genuine.
  const labels = [0, 0, 1, 1];
  const genuine = [0, 2].map((left) => ({ left, right: left + 1, same: true, distance: 1 }));
  const impostors = Array.from({ length: 200 }, (_, n) => ({
    left: 2 * (n % 2),
    right: n % 2 === 0 ? 2 : 1,
    same: false,
    distance: n < 100 ? 1 : 2,
  }));
  const pairs = [...genuine, ...impostors];
  expect(verificationReport(pairs, pairs, labels).balancedAccuracy).toBe(0.75);
});
