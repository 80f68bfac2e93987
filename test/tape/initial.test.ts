import { expect, test } from "vitest";
import { initialValues } from "../../src/tape/initial.ts";

test("Glorot-uniform of a filter counts its receptive field, fills its range and has no bias", () => {
  const values = initialValues("kernel", [3, 3, 16, 32], { initial: "glorot-uniform", seed: 5 });
  const limit = Math.sqrt(6 / (9 * (16 + 32)));
  const largest = Math.max(...values.map(Math.abs));
  expect(largest).toBeLessThanOrEqual(limit);
  expect(largest).toBeGreaterThan(0.99 * limit);
  const mean = values.reduce((a, b) => a + b, 0) / values.length;
  const variance = values.reduce((a, b) => a + b * b, 0) / values.length;
  // 4608 values: the mean of U(-l, l) has deviation l / sqrt(3 n), its second moment l^2 / sqrt(11.25 n).
  expect(Math.abs(mean)).toBeLessThan((4 * limit) / Math.sqrt(3 * values.length));
  expect(Math.abs(variance - limit ** 2 / 3)).toBeLessThan((4 * limit ** 2) / Math.sqrt(11.25 * values.length));
});

test("values depend on the seed and the name alone", () => {
  const make = (name: string, seed: number) => [...initialValues(name, [64], { initial: "glorot-uniform", seed })];
  expect(make("a", 1)).toEqual(make("a", 1));
  expect(make("a", 1)).not.toEqual(make("a", 2));
  expect(make("a", 1)).not.toEqual(make("b", 1));
});

test("a number fills, an array is copied", () => {
  expect([...initialValues("b", [3], { initial: 0.5 })]).toEqual([0.5, 0.5, 0.5]);
  const given = new Float32Array([1, 2]);
  const taken = initialValues("b", [2], { initial: given });
  given[0] = 9;
  expect([...taken]).toEqual([1, 2]);
});
