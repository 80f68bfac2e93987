// Learning rates against known points of each schedule, and invalid options.
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { learningRateSchedule, type ScheduleOptions } from "../../src/optim/schedule.ts";

const rates = (options: ScheduleOptions, count: number) => {
  const rate = learningRateSchedule(options);
  return Array.from({ length: count }, (_, i) => rate(i + 1));
};

describe("learningRateSchedule", () => {
  it("is constant by default", () => {
    expect(rates({ learningRate: 0.3 }, 3)).toEqual([0.3, 0.3, 0.3]);
  });

  it("rises linearly to the rate, then stays there", () => {
    expect(rates({ learningRate: 1, warmUp: 4 }, 6)).toEqual([0.25, 0.5, 0.75, 1, 1, 1]);
    expect(rates({ learningRate: 1, warmUp: 2, kind: "step", decayEvery: 2, decayRate: 0.5 }, 8)).toEqual([
      0.5, 1, 1, 1, 0.5, 0.5, 0.25, 0.25,
    ]);
  });

  it("falls along a cosine: half way down in the middle, at the final rate after the last step", () => {
    const cosine = rates({ learningRate: 1, kind: "cosine", steps: 4, finalRate: 0.2 }, 7);
    [1, 0.2 + 0.4 * (1 + Math.SQRT1_2), 0.6, 0.2 + 0.4 * (1 - Math.SQRT1_2), 0.2, 0.2, 0.2].forEach((rate, i) => {
      expect(cosine[i]).toBeCloseTo(rate, 12);
    });
    const warm = rates({ learningRate: 2, kind: "cosine", steps: 14, warmUp: 10 }, 14);
    expect(warm[9]).toBe(2);
    expect(warm[12]).toBeCloseTo(1, 12);
  });

  it("never rises after warmup, never exceeds the rate, and is above 0 in every step of the training", () => {
    const options = fc.record({
      learningRate: fc.double({ min: 1e-6, max: 10, noNaN: true }),
      kind: fc.constantFrom("constant" as const, "cosine" as const, "step" as const),
      warmUp: fc.integer({ min: 0, max: 20 }),
      steps: fc.integer({ min: 21, max: 200 }),
      decayEvery: fc.integer({ min: 1, max: 50 }),
      decayRate: fc.double({ min: 0.5, max: 1, noNaN: true }),
    });
    fc.assert(
      fc.property(options, (given) => {
        const found = rates(given, given.steps);
        found.forEach((rate, i) => {
          expect(rate).toBeGreaterThan(0);
          expect(rate).toBeLessThanOrEqual(given.learningRate);
          if (i > given.warmUp) expect(rate).toBeLessThanOrEqual(found[i - 1]);
          if (i > 0 && i < given.warmUp) expect(rate).toBeGreaterThan(found[i - 1]);
        });
      }),
      { numRuns: 50, seed: 1 },
    );
  });

  it.each<[ScheduleOptions, RegExp]>([
    [{ learningRate: 0 }, /learningRate is 0; expected a number above 0/],
    [{ learningRate: 1, warmUp: 1.5 }, /warmUp is 1.5/],
    [{ learningRate: 1, kind: "cosine" }, /steps is undefined/],
    [{ learningRate: 1, kind: "cosine", steps: 10, warmUp: 10 }, /steps is 10; expected .* above the warmup steps, 10/],
    [{ learningRate: 1, kind: "cosine", steps: 10, finalRate: 2 }, /finalRate is 2/],
    [{ learningRate: 1, kind: "step" }, /decayEvery is undefined/],
    [{ learningRate: 1, kind: "step", decayEvery: 5, decayRate: 1.5 }, /decayRate is 1.5/],
    [{ learningRate: 1, kind: "linear" as "step" }, /kind is linear; expected constant, cosine, step/],
  ])("refuses %j", (options, reason) => {
    expect(() => learningRateSchedule(options)).toThrow(reason);
  });
});
