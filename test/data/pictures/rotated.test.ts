import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { labelsOf } from "../../../src/data/dataset.ts";
import { rotatedIdentities, rotatedPixels } from "../../../src/data/pictures/rotated.ts";
import { constantPictures } from "../stubDataset.ts";

describe("rotatedPixels", () => {
  // 1 2 3
  // 4 5 6
  const pixels = Uint8Array.of(1, 2, 3, 4, 5, 6);

  it.each([
    [1, [3, 6, 2, 5, 1, 4]],
    [2, [6, 5, 4, 3, 2, 1]],
    [3, [4, 1, 5, 2, 6, 3]],
  ])("rotates counter-clockwise by %i times 90 degrees", (quarters, expected) => {
    expect([...rotatedPixels(pixels, [2, 3, 1], quarters)]).toEqual(expected);
  });

  it("four rotations by 90 degrees are the identity, with any channels", () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 5 }), fc.integer({ min: 1, max: 5 }), fc.constantFrom(1, 3), (h, w, c) => {
        const picture = Uint8Array.from({ length: h * w * c }, (_, i) => i);
        const once = rotatedPixels(picture, [h, w, c], 1);
        expect(rotatedPixels(once, [w, h, c], 3)).toEqual(picture);
        expect(rotatedPixels(once, [w, h, c], 1)).toEqual(rotatedPixels(picture, [h, w, c], 2));
      }),
    );
  });
});

describe("rotatedIdentities", () => {
  const dataset = {
    ...constantPictures(3, 2),
    items: constantPictures(3, 2).items.map((item) => ({
      ...item,
      decode: async ([height, width, channels]: readonly [number, number, number]) =>
        Uint8Array.from({ length: height * width * channels }, (_, i) => i),
    })),
  };
  const rotated = rotatedIdentities(dataset);

  it("has every identity four times, under four names, the first as they were", () => {
    expect(new Set(rotated.identities).size).toBe(12);
    expect(rotated.identities.slice(0, 3)).toEqual(dataset.identities);
    expect(rotated.items.slice(0, 6)).toEqual(dataset.items);
    const counts = new Array(12).fill(0);
    for (const label of labelsOf(rotated)) counts[label]++;
    expect(counts).toEqual(new Array(12).fill(2));
  });

  it("rotates each picture to the requested size", async () => {
    const last = (quarter: number) => rotated.items[6 * quarter + 5];
    expect(last(1).identity).toBe(5);
    expect([...(await last(0).decode([2, 3, 1]))]).toEqual([0, 1, 2, 3, 4, 5]);
    expect([...(await last(1).decode([2, 3, 1]))]).toEqual([1, 3, 5, 0, 2, 4]); // of 3 rows of 2
    expect([...(await last(2).decode([2, 3, 1]))]).toEqual([5, 4, 3, 2, 1, 0]);
  });
});
