import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  accuracyAt,
  areaUnderCurve,
  bestThreshold,
  crossValidatedAccuracy,
  equalErrorRate,
  roc,
  type ScoredPair,
  trueAcceptAt,
} from "../../src/evaluation/metrics.ts";

/** "s1 d2 s2": genuine (s) and impostor (d) pairs with these distances. */
const parse = (text: string): ScoredPair[] =>
  text.split(" ").map((word) => ({ same: word[0] === "s", distance: Number(word.slice(1)) }));

/** Few distinct distances, so that ties are common; at least one pair of each kind. */
const somePairs = fc
  .array(fc.record({ distance: fc.integer({ min: -6, max: 6 }).map((n) => n / 4), same: fc.boolean() }), {
    minLength: 2,
    maxLength: 40,
  })
  .filter((pairs) => pairs.some((pair) => pair.same) && pairs.some((pair) => !pair.same));

const share = (pairs: ScoredPair[], accepted: (pair: ScoredPair) => boolean) =>
  pairs.filter(accepted).length / pairs.length;

describe("roc", () => {
  it("counts accepted pairs at each distance (by hand)", () => {
    expect(roc(parse("s1 d2 s2 s3 d4"))).toEqual([
      { threshold: Number.NEGATIVE_INFINITY, falseAccept: 0, trueAccept: 0 },
      { threshold: 1, falseAccept: 0, trueAccept: 1 / 3 },
      { threshold: 2, falseAccept: 1 / 2, trueAccept: 2 / 3 },
      { threshold: 3, falseAccept: 1 / 2, trueAccept: 1 },
      { threshold: 4, falseAccept: 1, trueAccept: 1 },
    ]);
  });

  it("agrees with a recount at each threshold", () => {
    fc.assert(
      fc.property(somePairs, (pairs) => {
        for (const { threshold, falseAccept, trueAccept } of roc(pairs)) {
          const accepted = (pair: ScoredPair) => pair.distance <= threshold;
          expect(trueAccept).toBe(
            share(
              pairs.filter((pair) => pair.same),
              accepted,
            ),
          );
          expect(falseAccept).toBe(
            share(
              pairs.filter((pair) => !pair.same),
              accepted,
            ),
          );
        }
      }),
    );
  });

  it("rejects pairs of a single kind, and distances that are NaN", () => {
    expect(() => roc(parse("s1 s2"))).toThrow(/there are 2 and 0/);
    expect(() => roc([])).toThrow(/there are 0 and 0/);
    expect(() => roc(parse("s1 dx"))).toThrow(/NaN/);
  });
});

describe("areaUnderCurve", () => {
  it.each([
    ["s1 s2 d3 d4", 1],
    ["d1 d2 s3 s4", 0],
    ["s1 d1 s1 d1", 1 / 2],
    ["s1 d2 s3", 1 / 2],
    ["s1 d2 s2 s3 d4", (2 + 1.5 + 1) / 6],
  ])("%s: %f (by hand)", (text, expected) => {
    expect(areaUnderCurve(roc(parse(text)))).toBeCloseTo(expected, 12);
  });

  it("is the share of (same, different) combinations in the right order, ties one half", () => {
    fc.assert(
      fc.property(somePairs, (pairs) => {
        const differents = pairs.filter((pair) => !pair.same);
        const wins = pairs
          .filter((pair) => pair.same)
          .flatMap((s) => differents.map((d) => (s.distance < d.distance ? 1 : s.distance === d.distance ? 0.5 : 0)));
        const mean = wins.reduce<number>((sum, win) => sum + win, 0) / wins.length;
        expect(areaUnderCurve(roc(pairs))).toBeCloseTo(mean, 12);
      }),
    );
  });
});

describe("equalErrorRate", () => {
  it.each([
    ["s1 s2 d3 d4", 0],
    ["d1 d2 s3 s4", 1],
    ["s1 d1", 1 / 2],
    // At 2 one of three is falsely rejected and none of two falsely accepted; at 3 it is 1/3 and 1/2: they meet at 1/3.
    ["s1 s2 d3 s4 d5", 1 / 3],
    // One step from (0, 0) to (1/4, 3/4): false rejects fall from 1 as false accepts rise; equal at the step's end.
    ["s1 s1 s1 d1 s2 d2 d2 d2", 1 / 4],
  ])("%s: %f (by hand)", (text, expected) => {
    expect(equalErrorRate(roc(parse(text)))).toBeCloseTo(expected, 12);
  });

  it("is where the interpolated curve meets the line of equal errors (found by bisection)", () => {
    fc.assert(
      fc.property(somePairs, (pairs) => {
        const points = roc(pairs);
        /** The point of the polyline `position` (0..points - 1) along, and its false accepts less false rejects. */
        const along = (position: number) => {
          const i = Math.min(Math.floor(position), points.length - 2);
          const mix = (key: "falseAccept" | "trueAccept") =>
            points[i][key] + (position - i) * (points[i + 1][key] - points[i][key]);
          return { far: mix("falseAccept"), excess: mix("falseAccept") - (1 - mix("trueAccept")) };
        };
        let low = 0;
        let high = points.length - 1;
        for (let step = 0; step < 80; step++) {
          const middle = (low + high) / 2;
          if (along(middle).excess < 0) low = middle;
          else high = middle;
        }
        expect(equalErrorRate(points)).toBeCloseTo(along(high).far, 9);
      }),
    );
  });
});

describe("trueAcceptAt", () => {
  it("by hand", () => {
    const points = roc(parse("s1 s2 d3 s4 d5 s6 d7 d8"));
    expect(trueAcceptAt(points, 0)).toBe(2 / 4);
    expect(trueAcceptAt(points, 0.24)).toBe(2 / 4);
    expect(trueAcceptAt(points, 0.25)).toBe(3 / 4);
    expect(trueAcceptAt(points, 1)).toBe(1);
    expect(trueAcceptAt(roc(parse("s1 d1")), 0.5)).toBe(0);
  });

  it("equals a search over all thresholds", () => {
    fc.assert(
      fc.property(somePairs, fc.constantFrom(0, 0.001, 0.1, 0.3, 1), (pairs, far) => {
        const thresholds = [Number.NEGATIVE_INFINITY, ...pairs.map((pair) => pair.distance)];
        const allowed = thresholds.filter(
          (t) =>
            share(
              pairs.filter((p) => !p.same),
              (p) => p.distance <= t,
            ) <= far,
        );
        const best = Math.max(
          ...allowed.map((t) =>
            share(
              pairs.filter((p) => p.same),
              (p) => p.distance <= t,
            ),
          ),
        );
        expect(trueAcceptAt(roc(pairs), far)).toBe(best);
      }),
    );
  });
});

describe("bestThreshold", () => {
  it.each([
    ["s1 s2 d4 d5", 3, 1],
    ["s1 d2 s3 d4", 1.5, 0.75], // 3.5 is as good: the lower one is taken
    ["s1 s2 s3", 3, 1],
    ["s1 s1 d1", 1, 2 / 3],
  ])("%s: threshold %f, accuracy %f (by hand)", (text, threshold, accuracy) => {
    expect(bestThreshold(parse(text))).toEqual({ threshold, accuracy });
  });

  it("accepts nothing when that is best", () => {
    const { threshold, accuracy } = bestThreshold(parse("d1 d1 s2"));
    expect(threshold).toBeLessThan(1);
    expect(accuracy).toBe(2 / 3);
  });

  it("reaches the reported accuracy, and no threshold reaches more", () => {
    fc.assert(
      fc.property(somePairs, (pairs) => {
        const { threshold, accuracy } = bestThreshold(pairs);
        expect(accuracyAt(pairs, threshold)).toBe(accuracy);
        for (const candidate of [-100, ...pairs.map((pair) => pair.distance)]) {
          expect(accuracyAt(pairs, candidate)).toBeLessThanOrEqual(accuracy);
        }
      }),
    );
  });

  it("separates distances that are adjacent floating-point numbers", () => {
    const pairs = [
      { distance: 1, same: true },
      { distance: 1 + Number.EPSILON, same: false },
    ];
    expect(accuracyAt(pairs, bestThreshold(pairs).threshold)).toBe(1);
  });
});

describe("crossValidatedAccuracy", () => {
  it("evaluates each fold at the threshold of the others (by hand)", () => {
    // Fold 0 alone would choose 1.5; the threshold from fold 1 is 3.5, which gets one of its two pairs wrong.
    const pairs = parse("s1 d2 s3 d4");
    expect(crossValidatedAccuracy(pairs, [0, 0, 1, 1])).toEqual({
      accuracy: 0.5,
      accuracyStd: 0,
      accuracyStandardError: 0,
    });
    // Fold 1's threshold 2.5 is right for fold 0; fold 0's threshold 1.75 is wrong for the pair s2.
    const others = parse("s1 d2.5 s2 d3 s1 d3");
    expect(crossValidatedAccuracy(others, [0, 0, 1, 1, 1, 1])).toEqual({
      accuracy: 0.625,
      accuracyStd: Math.sqrt(0.03125),
      accuracyStandardError: Math.sqrt(0.03125) / Math.SQRT2,
    });
  });

  it("agrees with a direct reading of the protocol", () => {
    fc.assert(
      fc.property(somePairs, fc.integer({ min: 2, max: 4 }), (pairs, count) => {
        fc.pre(pairs.length >= count);
        const folds = pairs.map((_, position) => position % count);
        const accuracies: number[] = [];
        for (let fold = 0; fold < count; fold++) {
          const rest = pairs.filter((_, position) => position % count !== fold);
          const own = pairs.filter((_, position) => position % count === fold);
          accuracies.push(accuracyAt(own, bestThreshold(rest).threshold));
        }
        const mean = accuracies.reduce((a, b) => a + b) / count;
        const result = crossValidatedAccuracy(pairs, folds);
        expect(result.accuracy).toBeCloseTo(mean, 12);
        const spread = Math.sqrt(accuracies.reduce((sum, a) => sum + (a - mean) ** 2, 0) / (count - 1));
        expect(result.accuracyStd).toBeCloseTo(spread, 12);
        expect(result.accuracyStandardError).toBeCloseTo(spread / Math.sqrt(count), 12);
      }),
    );
  });

  it("rejects a single fold, and an empty fold", () => {
    expect(() => crossValidatedAccuracy(parse("s1 d2"), [0, 2])).toThrow(/Cannot cross-validate/);
    expect(() => crossValidatedAccuracy(parse("s1 d2"), [0, 0])).toThrow(/Cannot cross-validate .* in 1 folds/);
  });
});
