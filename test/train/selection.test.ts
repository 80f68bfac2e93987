import { describe, expect, it } from "vitest";
import { exhausted, nothingSelected, select } from "../../src/train/selection.ts";

const after = (aucs: number[]) => aucs.reduce((selection, auc, i) => select(selection, i + 1, auc), nothingSelected);

describe("selection", () => {
  it("takes the first of the greatest, to the digits that names tell", () => {
    expect(after([0.5, 0.7, 0.6])).toEqual({ best: { step: 2, auc: 0.7 }, since: 1 });
    expect(after([0.7, 0.7000001, 0.7])).toEqual({ best: { step: 1, auc: 0.7 }, since: 2 });
  });

  it("runs out of patience after so many in a row, and never without any", () => {
    expect(exhausted(after([0.5, 0.4]), 2)).toBe(false);
    expect(exhausted(after([0.5, 0.4, 0.45]), 2)).toBe(true);
    expect(exhausted(after([0.5, 0.4, 0.6, 0.5]), 2)).toBe(false);
    expect(exhausted(after([0.5, 0.4, 0.3, 0.2]))).toBe(false);
  });
});
