import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { detCurve } from "../../src/evaluation/det.ts";
import { roc } from "../../src/evaluation/metrics.ts";
import { falseRejectAt, rates } from "../reference/network/verification.ts";

describe("detCurve", () => {
  it("by hand: one false accept of ten at 2, all genuine pairs accepted at 3", () => {
    const pairs = [
      ...[1, 3].map((distance) => ({ distance, same: true })),
      ...[2, 4, 4, 4, 4, 4, 4, 4, 4, 4].map((distance) => ({ distance, same: false })),
    ];
    expect(detCurve(roc(pairs), 2)).toEqual([
      { threshold: 1, falseAccept: 0, falseReject: 0.5 },
      { threshold: 3, falseAccept: 0.1, falseReject: 0 },
    ]);
  });

  it("has points of the curve only, in order, and at each rate the fewest false rejects (definition)", () => {
    const somePairs = fc
      .array(fc.record({ distance: fc.nat(8), same: fc.boolean() }), { minLength: 2, maxLength: 60 })
      .filter((pairs) => pairs.some(({ same }) => same) && pairs.some(({ same }) => !same));
    fc.assert(
      fc.property(somePairs, fc.integer({ min: 1, max: 12 }), (pairs, perDecade) => {
        const curve = detCurve(roc(pairs), perDecade);
        for (const { threshold, falseAccept, falseReject } of curve) {
          const expected = rates(pairs, threshold);
          expect([falseAccept, falseReject]).toEqual([expected.falseAccept, 1 - expected.trueAccept]);
        }
        for (let i = 1; i < curve.length; i++) {
          expect(curve[i].falseAccept).toBeGreaterThanOrEqual(curve[i - 1].falseAccept);
          expect(curve[i].falseReject).toBeLessThan(curve[i - 1].falseReject);
        }
        for (let n = 0; n <= 3 * perDecade; n++) {
          const far = 10 ** (-n / perDecade);
          const within = curve.filter((point) => point.falseAccept <= far);
          const least = Math.min(1, ...within.map((point) => point.falseReject));
          expect(least).toBe(falseRejectAt(pairs, far));
        }
      }),
    );
  });
});
