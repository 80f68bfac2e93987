import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type Nearest, openSet, openSetReport } from "../../src/evaluation/openSet.ts";
import { personSearch } from "../../src/recognition/match.ts";

describe("openSet", () => {
  it("enrolls some identities, probes with all other pictures, and keeps known ones and strangers apart", () => {
    fc.assert(
      fc.property(
        fc.array(fc.nat(9), { minLength: 6, maxLength: 60 }),
        fc.integer({ min: 1, max: 3 }),
        fc.constantFrom(0.1, 0.5, 0.8),
        fc.nat(),
        (labels, shots, strangers, seed) => {
          const sizes = [...new Set(labels)].map((label) => labels.filter((other) => other === label).length);
          const several = sizes.filter((size) => size > shots).length;
          if (several < 2 || sizes.length < 3) {
            expect(() => openSet(labels, { shots, strangers, seed })).toThrow(/needs 2 people/);
            return;
          }
          const divided = openSet(labels, { shots, strangers, seed });
          const known = divided.enrolled.map(({ identity }) => identity);
          const wanted = Math.max(2, Math.round((1 - strangers) * sizes.length));
          expect(known).toHaveLength(Math.min(wanted, several, sizes.length - 1));
          for (const { identity, pictures } of divided.enrolled) {
            expect(pictures).toHaveLength(shots);
            for (const picture of pictures) expect(labels[picture]).toBe(identity);
          }
          for (const { picture, identity, person } of divided.probes) {
            expect(labels[picture]).toBe(identity);
            expect(known[person]).toBe(identity);
          }
          for (const { picture, identity } of divided.strangers) {
            expect(labels[picture]).toBe(identity);
            expect(known).not.toContain(identity);
          }
          const used = [...divided.enrolled.flatMap((p) => p.pictures), ...divided.probes.map((p) => p.picture)];
          const all = [...used, ...divided.strangers.map(({ picture }) => picture)].sort((a, b) => a - b);
          expect(all).toEqual(labels.map((_, picture) => picture)); // each picture once
          expect(openSet(labels, { shots, strangers, seed })).toEqual(divided);
        },
      ),
    );
  });
});

describe("openSetReport", () => {
  const divided = {
    enrolled: [
      { identity: 0, pictures: [0] },
      { identity: 1, pictures: [1] },
    ],
    probes: [2, 3, 4, 5].map((picture) => ({ picture, identity: picture % 2, person: picture % 2 })),
    strangers: [6, 7, 8, 9].map((picture) => ({ picture, identity: Math.floor(picture / 2) })),
  };
  const at = (distance: number, person: number | null): Nearest => ({ distance, person });

  it("by hand: three of four correct, one of them beyond the threshold; one stranger of four identified", () => {
    const nearest = [at(1, 0), at(2, 1), at(5, 0), at(1, 0), at(3, 1), at(6, 0), at(6, 0), at(7, 1)];
    const report = openSetReport(divided, nearest, 4);
    expect(report).toMatchObject({
      known: 2,
      strangers: 2,
      probes: 4,
      strangerProbes: 4,
      rank1: 0.75,
      threshold: 4,
      truePositive: 0.5,
      falsePositive: 0.25,
      // No stranger at up to 2.99: two right names. One in ten allows none of four.
      truePositiveAt: { "0.1": 0.5, "0.01": 0.5 },
    });
    const { rank1, truePositive, falsePositive } = report.intervals;
    for (const [interval, share] of [
      [rank1, 0.75],
      [truePositive, 0.5],
      [falsePositive, 0.25],
    ] as const) {
      expect(interval[0]).toBeLessThan(share);
      expect(interval[1]).toBeGreaterThan(share);
    }
  });

  it("a tie between two identities is no identification, and a wrong name never counts as correct", () => {
    const wrong = [at(1, null), at(1, 0), at(1, 1), at(1, 0), ...divided.strangers.map(() => at(9, 0))];
    expect(openSetReport(divided, wrong, 100)).toMatchObject({
      rank1: 0,
      truePositive: 0,
      falsePositive: 1,
      truePositiveAt: { "0.1": 0, "0.01": 0 },
    });
  });
});

describe("personSearch", () => {
  const model = {
    fingerprint: "line",
    embedding: 1,
    threshold: 1,
    embed: async () => new Float32Array(),
    distances: (a: Float32Array, b: Float32Array) => Float64Array.from(a, (value, i) => Math.abs(value - b[i])),
    probability: () => 1,
  };
  it("uses the nearest picture; a tie between people is null (by hand)", () => {
    const people = [Float32Array.of(0, 10), Float32Array.of(4), Float32Array.of(-3, 9)];
    const nearest = personSearch(model, people);
    expect(nearest(Float32Array.of(9.75))).toEqual({ distance: 0.25, person: 0 });
    expect(nearest(Float32Array.of(3))).toEqual({ distance: 1, person: 1 });
    expect(nearest(Float32Array.of(9.5))).toEqual({ distance: 0.5, person: null });
    const twice = [Float32Array.of(1, 3), Float32Array.of(-4)];
    expect(personSearch(model, twice)(Float32Array.of(2))).toEqual({ distance: 1, person: 0 }); // twice, but the same person
  });
});
