// Conventions that the formulas leave open: derivatives at kinks, ties, padding, the moving averages' rule.

import { describe, expect, it } from "vitest";
import { ndarray, scalar } from "./ndarray.ts";
import { adam } from "./network/adam.ts";
import { referenceOf, references } from "./operations.ts";
import { movingAverages } from "./ops/batchNorm.ts";
import { windows } from "./ops/images/window.ts";

const row = (...values: number[]) => ndarray([1, values.length], values);
const one = scalar(1);

describe("definitions", () => {
  it("|a - b| has derivative 0 where a = b", () => {
    const g = references.absDifference.gradients({ a: row(2, 3, 1), b: row(2, 1, 3) }, {}, row(5, 5, 5));
    expect([...g.a.data]).toEqual([0, 5, -5]);
    expect([...g.b.data]).toEqual([0, -5, 5]);
  });

  it("ReLU has derivative 0 at 0", () => {
    expect([...references.relu.gradients({ x: row(-1, 0, 1) }, {}, row(7, 7, 7)).x.data]).toEqual([0, 0, 7]);
  });

  it("contrastive loss has gradient 0 at distance 0, for either label", () => {
    const inputs = { a: ndarray([2, 2], [1, 2, 3, 4]), b: ndarray([2, 2], [1, 2, 3, 4]), same: ndarray([2], [0, 1]) };
    expect(references.contrastiveLoss.value(inputs, {}).data[0]).toBe(0.5);
    const { a, b } = references.contrastiveLoss.gradients(inputs, {}, one);
    for (const value of [...a.data, ...b.data]) expect(Math.abs(value)).toBe(0);
  });

  it("the first of equal maxima takes the pool's gradient", () => {
    const x = ndarray([1, 2, 2, 1], [4, 9, 9, 9]);
    expect([...references.maxPool2d.gradients({ x }, {}, ndarray([1, 1, 1, 1], [3])).x.data]).toEqual([0, 3, 0, 0]);
  });

  it("padding is never the maximum of a pool, even of negative values", () => {
    const x = ndarray([1, 3, 3, 1], [-1, -2, -3, -4, -5, -6, -7, -8, -9]);
    const y = references.maxPool2d.value({ x }, { size: 2, padding: "same" });
    expect([...y.data]).toEqual([-1, -3, -7, -9]);
  });

  it("SAME puts the odd padded position after the image, as TensorFlow does", () => {
    expect(windows(5, 2, 1, "same")).toEqual({ count: 5, before: 0 });
    expect(windows(5, 3, 2, "same")).toEqual({ count: 3, before: 1 });
    expect(windows(6, 3, 2, "same")).toEqual({ count: 3, before: 0 });
    expect(windows(7, 1, 3, "same")).toEqual({ count: 3, before: 0 });
    expect(windows(5, 3, 2, "valid")).toEqual({ count: 2, before: 0 });
  });

  it("logits of +-500 give an exact loss and gradient", () => {
    const inputs = { logits: ndarray([4], [500, -500, 500, -500]), labels: ndarray([4], [1, 0, 0, 1]) };
    expect(referenceOf("sigmoidCrossEntropy").value(inputs, {}).data[0]).toBe(250);
    const { logits } = referenceOf("sigmoidCrossEntropy").gradients(inputs, {}, one);
    expect([...logits.data].map((value) => Math.fround(value) + 0)).toEqual([0, 0, 0.25, -0.25]);
  });

  it("a row shorter than epsilon is scaled, not amplified", () => {
    const y = references.l2Normalize.value({ x: row(0, 0) }, {});
    expect([...y.data]).toEqual([0, 0]);
    expect([...references.l2Normalize.gradients({ x: row(0, 0) }, { epsilon: 0.25 }, row(1, 2)).x.data]).toEqual([
      2, 4,
    ]);
  });

  it("a satisfied triplet has no gradient", () => {
    const inputs = { anchor: row(0), positive: row(0), negative: row(2) };
    expect(references.tripletLoss.value(inputs, {}).data[0]).toBe(0);
    expect([...references.tripletLoss.gradients(inputs, {}, one).anchor.data]).toEqual([0]);
  });

  it("moving averages take each group's population statistics in turn", () => {
    const x = ndarray([4, 1], [0, 2, 10, 14]); // groups: mean 1 and 12, variance 1 and 4
    const moving = movingAverages({ x, mean: row(3), variance: row(1) }, { groups: 2, momentum: 0.5 });
    expect(moving.mean.data[0]).toBe(0.5 * (0.5 * 3 + 0.5 * 1) + 0.5 * 12);
    expect(moving.variance.data[0]).toBe(0.5 * (0.5 * 1 + 0.5 * 1) + 0.5 * 4);
  });

  it("Adam's first step moves each weight by the learning rate, against the gradient's sign", () => {
    const w = row(1, 1, 1);
    adam({ learningRate: 0.01 })({ w }, { w: row(5, -0.2, 0) });
    expect(w.data[0]).toBeCloseTo(0.99, 8);
    expect(w.data[1]).toBeCloseTo(1.01, 8);
    expect(w.data[2]).toBe(1);
  });
});
