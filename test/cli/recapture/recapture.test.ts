import { describe, expect, it } from "vitest";
import type { Raster } from "../../../src/cli/recapture/effects.ts";
import { drawRecapture, live, recapture } from "../../../src/cli/recapture/recapture.ts";
import { Random, streams } from "../../../src/data/random.ts";

const picture: Raster = {
  height: 20,
  width: 16,
  data: Float32Array.from({ length: 20 * 16 * 3 }, (_, at) => ((at * 37) % 101) / 100),
};

describe("recapture", () => {
  it("is the same for the same seed and picture, and another for others", () => {
    const made = (seed: number, index: number) => recapture(picture, seed, index).picture.data;
    expect(made(1, 0)).toEqual(made(1, 0));
    expect(made(1, 0)).not.toEqual(made(2, 0));
    expect(made(1, 0)).not.toEqual(made(1, 1));
    expect(live(picture, 1, 0).data).toEqual(live(picture, 1, 0).data);
    expect(live(picture, 1, 0).data).not.toEqual(made(1, 0));
  });

  it("is a print as often as a screen, with the effects of its medium alone", () => {
    const drawn = Array.from({ length: 400 }, (_, index) => drawRecapture(new Random(1, streams.recapture, index)));
    const prints = drawn.filter(({ medium }) => medium === "print");
    expect(Math.abs(prints.length - 200)).toBeLessThan(60); // six standard deviations
    for (const { medium, halftone, moire, sheet } of drawn) {
      expect([halftone !== undefined, moire !== undefined]).toEqual([medium === "print", medium === "screen"]);
      expect(sheet.corners).toHaveLength(4);
      if (moire) expect(Math.abs(moire.period - 1)).toBeGreaterThanOrEqual(0.03); // else there would be no beat
    }
  });
});
