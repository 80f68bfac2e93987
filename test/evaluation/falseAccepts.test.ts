import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { allPairs } from "../../src/data/sampling/evaluationPairs.ts";
import { isCalibratedRate, thresholdAt } from "../../src/evaluation/falseAccepts.ts";
import { rates } from "../reference/network/verification.ts";

const pictures = fc
  .array(fc.tuple(fc.nat(4), fc.integer({ min: 0, max: 9 })), { minLength: 3, maxLength: 12 })
  .map((shown) => {
    const labels = shown.map(([label]) => label);
    const pairs = allPairs(labels);
    const distance = (a: number, b: number) => Math.abs(shown[a][1] - shown[b][1]);
    return { labels, pairs, scored: pairs.map(({ left, right, same }) => ({ same, distance: distance(left, right) })) };
  })
  .filter(({ pairs }) => pairs.some(({ same }) => same) && pairs.some(({ same }) => !same));

describe("thresholdAt", () => {
  it("accepts at most the target rate, and the next distance would accept more (definition)", () => {
    fc.assert(
      fc.property(pictures, fc.constantFrom(0.001, 0.1, 0.3, 0.8), ({ labels, pairs, scored }, far) => {
        const { threshold, rate } = thresholdAt(scored, pairs, labels, far, { resamples: 20 });
        const reached = rates(scored, threshold);
        expect(rate).toMatchObject({ wanted: far, falseAccept: reached.falseAccept, trueAccept: reached.trueAccept });
        expect(reached.falseAccept).toBeLessThanOrEqual(far);
        const above = scored.map((pair) => pair.distance).filter((distance) => distance > threshold);
        if (above.length > 0) expect(rates(scored, Math.min(...above)).falseAccept).toBeGreaterThan(far);
        for (const [share, [lower, upper]] of [
          [rate.falseAccept, rate.falseAcceptInterval],
          [rate.trueAccept, rate.trueAcceptInterval],
        ] as const) {
          expect(lower).toBeLessThanOrEqual(share);
          expect(upper).toBeGreaterThanOrEqual(share);
          expect(upper).toBeGreaterThan(lower);
        }
        expect(isCalibratedRate(JSON.parse(JSON.stringify(rate)))).toBe(true);
      }),
    );
  });

  it("by hand", () => {
    const labels = [0, 0, 1, 1];
    const pairs = allPairs(labels); // 01 02 03 12 13 23
    const scored = [1, 2, 5, 6, 7, 3].map((distance, n) => ({ same: pairs[n].same, distance }));
    const at = (far: number) => thresholdAt(scored, pairs, labels, far);
    expect(at(0.2)).toMatchObject({ threshold: 1, rate: { falseAccept: 0, trueAccept: 0.5 } });
    expect(at(0.25)).toMatchObject({ threshold: 3, rate: { falseAccept: 0.25, trueAccept: 1 } });
    expect(at(0.25).rate).toMatchObject({ pairs: { same: 2, different: 4 }, identities: 2, level: 0.95 });
  });

  it("accepts nothing where the nearest pairs are impostors, and too many", () => {
    const labels = [0, 1, 0];
    const pairs = allPairs(labels);
    const scored = [2, 3, 2].map((distance, n) => ({ same: pairs[n].same, distance }));
    const { threshold, rate } = thresholdAt(scored, pairs, labels, 0.01);
    expect(threshold).toBeLessThan(2);
    expect(rate).toMatchObject({ falseAccept: 0, trueAccept: 0 });
  });

  it("rejects an invalid rate", () => {
    for (const far of [0, 1, Number.NaN, -0.1]) {
      expect(() => thresholdAt([], [], [], far)).toThrow(/between 0 and 1/);
    }
  });
});

describe("isCalibratedRate", () => {
  it.each([null, 3, {}, { wanted: 1 }, { pairs: null }])("%j is invalid", (value) => {
    expect(isCalibratedRate(value)).toBe(false);
  });
});
