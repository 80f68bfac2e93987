// Validates pictures that callers pass in: the array type, and that every value is finite.
import { TwingradError } from "../errors.ts";
import { typeName } from "../options.ts";
import type { Pictures } from "./batch.ts";
import type { ImageSize } from "./imageSize.ts";

/**
 * @param who the receiver, for the message.
 * @param most the largest absolute value that can be of a picture in [0, 1]: resizing may exceed 1, floats from 0 to 255
 * exceed it by far.
 * @throws BAD_INPUT for arrays of another type, since their bytes would be misread, and for the first value that is NaN,
 * infinite or above `most`.
 */
export function checkPictures(
  who: string,
  pictures: unknown,
  [height, width, channels]: ImageSize,
  most = Number.MAX_VALUE,
): asserts pictures is Pictures {
  if (pictures instanceof Uint8Array) return;
  if (!(pictures instanceof Float32Array)) {
    const expected = "expected a Uint8Array (0 to 255) or a Float32Array (0 to 1)";
    throw new TwingradError("BAD_INPUT", `${who}: the pictures are a ${typeName(pictures)}; ${expected}.`);
  }
  const at = firstBeyond(pictures, most);
  if (at < 0) return;
  const pixel = Math.floor(at / channels);
  const picture = Math.floor(pixel / (height * width));
  const place = `row ${Math.floor(pixel / width) % height}, column ${pixel % width}, channel ${at % channels}`;
  throw new TwingradError(
    "BAD_INPUT",
    `${who}: picture ${picture} has ${pictures[at]} at ${place}, counted from 0; expected floats from 0 to 1, or bytes.`,
  );
}

export const allFinite = (values: ArrayLike<number>): boolean => firstBeyond(values, Number.MAX_VALUE) < 0;

/** The place of the first value that is NaN or larger than `most`, or -1: a loop, since `findIndex` takes five times as long. */
function firstBeyond(values: ArrayLike<number>, most: number): number {
  for (let i = 0; i < values.length; i++) if (!(Math.abs(values[i]) <= most)) return i;
  return -1;
}
