// Invalid pictures are rejected on input, with their number and the place of the invalid value.
import { describe, expect, it } from "vitest";
import { checkPictures } from "../../src/data/checkPictures.ts";

const size = [2, 3, 2] as const;

describe("checkPictures", () => {
  it("takes bytes and finite float32", () => {
    checkPictures("here", new Uint8Array(24).fill(255), size);
    checkPictures("here", new Float32Array(24).fill(3.4e38), size);
    checkPictures("here", new Float32Array(0), size);
  });

  it.each([NaN, Infinity, -Infinity])("names the picture and place of %s", (value) => {
    const pictures = new Float32Array(36).fill(0.5);
    pictures[12 + (1 * 3 + 2) * 2 + 1] = value;
    const message = `here: picture 1 has ${value} at row 1, column 2, channel 1`;
    expect(() => checkPictures("here", pictures, size)).toThrow(
      expect.objectContaining({ code: "BAD_INPUT", message: expect.stringContaining(message) }),
    );
  });

  it("names the first value that is too large to be of a picture in [0, 1]", () => {
    const pictures = new Float32Array(24).fill(0.5).fill(187, 14);
    expect(() => checkPictures("here", pictures, size, 2)).toThrow(
      /picture 1 has 187 at row 0, column 1, channel 0, .*; expected floats from 0 to 1, or bytes/,
    );
    expect(() =>
      checkPictures(
        "here",
        pictures.map((value) => -value),
        size,
        2,
      ),
    ).toThrow(/picture 1 has -187/);
    checkPictures(
      "here",
      pictures.map((value) => value / 255),
      size,
      2,
    );
  });

  it.each([
    ["Uint8ClampedArray", new Uint8ClampedArray(12)],
    ["Uint16Array", new Uint16Array(12)],
    ["Float64Array", new Float64Array(12)],
    ["Array", new Array(12).fill(0)],
    ["undefined", undefined],
  ])("rejects a %s and says what it expects", (name, pictures) => {
    expect(() => checkPictures("here", pictures, size)).toThrow(
      expect.objectContaining({ code: "BAD_INPUT", message: expect.stringMatching(new RegExp(`${name}.*Uint8Array`)) }),
    );
  });
});
