import { describe, expect, it } from "vitest";
import { frozenParameters } from "../../src/train/fineTuning.ts";

describe("frozenParameters", () => {
  const parameters = (...names: string[]) => names.map((name) => ({ name, shape: [1], trainable: true }));

  it("freezes the first blocks of each tower", () => {
    const two = parameters("tower/block1/conv/kernel", "tower2/block1/conv/kernel", "tower/block2/conv/kernel");
    expect([...frozenParameters(1, two)]).toEqual(["tower/block1/conv/kernel", "tower2/block1/conv/kernel"]);
  });

  it("refuses more blocks than the towers have: those of histograms have none", () => {
    const histograms = parameters("tower/norm/gamma", "tower/dense/kernel");
    expect(() => frozenParameters(1, histograms)).toThrow(/freeze is 1; expected a number of blocks from 0 to 0/);
  });
});
