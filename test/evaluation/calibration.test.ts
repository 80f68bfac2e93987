import { describe, expect, it } from "vitest";
import { Random, streams } from "../../src/data/random.ts";
import { fitCalibration, probabilityOf } from "../../src/evaluation/calibration.ts";

describe("fitCalibration", () => {
  it("recovers the curve that the pairs were sampled from", () => {
    const truth = { slope: 3, intercept: 4.5 };
    const random = new Random(1, streams.trials);
    const pairs = Array.from({ length: 20_000 }, () => {
      const distance = random.uniform() * 3;
      return { distance, same: random.uniform() < probabilityOf(truth, distance) };
    });
    const { slope, intercept } = fitCalibration(pairs);
    expect(Math.abs(slope - 3)).toBeLessThan(0.15);
    expect(Math.abs(intercept - 4.5)).toBeLessThan(0.25);
  });

  it("meets the smoothed targets on average, where the gradient vanishes", () => {
    const pairs = [1, 2, 2.5, 4, 3, 5, 6, 7].map((distance, i) => ({ distance, same: i < 4 }));
    const calibration = fitCalibration(pairs);
    const residual = pairs.map((pair) => probabilityOf(calibration, pair.distance) - (pair.same ? 5 / 6 : 1 / 6));
    expect(residual.reduce((sum, r) => sum + r, 0)).toBeCloseTo(0, 7);
    expect(residual.reduce((sum, r, i) => sum + r * pairs[i].distance, 0)).toBeCloseTo(0, 6);
  });

  it.each([1e-6, 1, 1e6])("stays finite on pairs that are separated perfectly, in units of %f", (unit) => {
    const pairs = [1, 2, 8, 9].map((distance, i) => ({ distance: distance * unit, same: i < 2 }));
    const calibration = fitCalibration(pairs);
    expect(probabilityOf(calibration, unit)).toBeGreaterThan(0.7);
    expect(probabilityOf(calibration, 5 * unit)).toBeCloseTo(0.5, 6);
    expect(probabilityOf(calibration, 9 * unit)).toBeLessThan(0.3);
  });

  it("is constant where all distances are equal", () => {
    const pairs = [true, true, false, false].map((same) => ({ distance: 2, same }));
    expect(probabilityOf(fitCalibration(pairs), 2)).toBeCloseTo(0.5, 9);
  });

  it("rejects pairs of a single kind", () => {
    expect(() => fitCalibration([{ distance: 1, same: true }])).toThrow(/there are 1 and 0/);
  });
});
