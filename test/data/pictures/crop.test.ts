import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { centeredPart, cropInWords, cropOf, croppedPart } from "../../../src/data/pictures/crop.ts";
import type { Box } from "../../../src/formats/box.ts";

const pixels = (xmin: number, ymin: number, xmax: number, ymax: number): Box => {
  return { xmin, ymin, xmax, ymax, relative: false };
};
const size = fc.tuple(fc.integer({ min: 1, max: 300 }), fc.integer({ min: 1, max: 300 }));

describe("croppedPart", () => {
  it.each<[string, Box, number, [number, number], [number, number], object]>([
    ["a square box", pixels(10, 20, 30, 40), 0, [100, 100], [8, 8], { left: 10, top: 20, width: 20, height: 20 }],
    [
      "grown by a margin",
      pixels(40, 40, 60, 60),
      0.5,
      [100, 100],
      [8, 8],
      { left: 30, top: 30, width: 40, height: 40 },
    ],
    [
      "grown to the wanted aspect ratio",
      pixels(40, 40, 60, 60),
      0,
      [100, 100],
      [8, 4],
      { left: 40, top: 30, width: 20, height: 40 },
    ],
    ["moved inwards", pixels(0, 0, 20, 20), 0.5, [100, 100], [8, 8], { left: 0, top: 0, width: 40, height: 40 }],
    [
      "shrunk to the picture",
      pixels(0, 0, 90, 90),
      1,
      [100, 120],
      [8, 8],
      { left: 0, top: 0, width: 100, height: 100 },
    ],
    [
      "clipped at the border",
      pixels(-50, 80, 20, 200),
      0,
      [100, 100],
      [8, 8],
      { left: 0, top: 80, width: 20, height: 20 },
    ],
    [
      "in shares of width and height",
      { xmin: 0.25, ymin: 0.5, xmax: 0.75, ymax: 0.6, relative: true },
      0,
      [100, 200],
      [4, 4],
      { left: 50, top: 0, width: 100, height: 100 },
    ],
  ])("of %s", (_, box, margin, picture, wanted, expected) => {
    expect(croppedPart({ box, margin }, picture, wanted)).toEqual(expected);
  });

  it("lies in the picture, has the wanted aspect ratio to a pixel, and contains the box where it fits", () => {
    fc.assert(
      fc.property(size, size, fc.array(fc.nat(299), { minLength: 4, maxLength: 4 }), ([h, w], wanted, [a, b, c, d]) => {
        const [xmin, xmax] = [a % w, c % w].sort((p, q) => p - q);
        const [ymin, ymax] = [b % h, d % h].sort((p, q) => p - q);
        const box = pixels(xmin, ymin, xmax + 1, ymax + 1);
        const { left, top, width, height } = croppedPart({ box, margin: 0 }, [h, w], wanted);
        expect([left, top, width, height].every(Number.isInteger)).toBe(true);
        expect(Math.min(left, top, width - 1, height - 1, w - left - width, h - top - height)).toBeGreaterThanOrEqual(
          0,
        );
        const ratio = wanted[1] / wanted[0];
        if (width > 1 && height > 1) expect(Math.abs(width - height * ratio)).toBeLessThanOrEqual(1 + ratio);
        const largest = centeredPart([h, w], wanted);
        if (width < largest.width && height < largest.height) {
          expect(
            Math.max(left - xmin, top - ymin, xmax + 1 - left - width, ymax + 1 - top - height),
          ).toBeLessThanOrEqual(1);
        }
      }),
    );
  });

  it.each<[Box, RegExp]>([
    [pixels(10, 10, 10, 20), /^the box xmin 10, ymin 10, xmax 10, ymax 20 \(pixels\) has no area/],
    [pixels(10, 30, 20, 20), /has no area/],
    [pixels(Number.NaN, 0, 1, 1), /has no area/],
    [pixels(0, 0, Number.POSITIVE_INFINITY, 1), /has no area/],
    [pixels(-20, 0, -10, 10), /lies outside the picture of 50 x 40 pixels/],
    [pixels(60, 10, 70, 20), /lies outside/],
    [{ xmin: 1, ymin: 0, xmax: 1.5, ymax: 1, relative: true }, /\(shares of the picture\) lies outside/],
  ])("refuses %j", (box, reason) => {
    expect(() => croppedPart({ box, margin: 0 }, [40, 50], [8, 8])).toThrow(
      expect.objectContaining({ code: "CORRUPT_FILE", message: expect.stringMatching(reason) }),
    );
  });
});

describe("cropOf and cropInWords", () => {
  const box = pixels(0, 0, 1, 1);
  it("uses boxes only in box mode", () => {
    expect(cropOf(box, { mode: "centre" })).toBeUndefined();
    expect(cropOf(undefined, { mode: "box" })).toBeUndefined();
    expect(cropOf(box, { mode: "box", margin: 0.2 })).toEqual({ box, margin: 0.2 });
    expect(() => cropOf(box, { mode: "box", margin: -1 })).toThrow(/margin -1/);
  });

  it("says how pictures without a box are cropped", () => {
    expect(cropInWords({ mode: "centre" }, 0, 5)).toBeUndefined();
    expect(cropInWords({ mode: "box", margin: 0.2 }, 5, 5)).toBe(
      "5 pictures are cropped about their box with a margin of 0.2",
    );
    expect(cropInWords({ mode: "box" }, 3, 5)).toMatch(
      /^3 pictures are .* box, 2 without a box to the largest centered part/,
    );
  });
});
