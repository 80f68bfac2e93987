// Validates pictures that callers pass in: the array type, and that every value is finite.
import { TwingradError } from "../errors.ts";
import { typeName } from "../options.ts";
import type { Pictures } from "./batch.ts";
import type { ImageSize } from "./imageSize.ts";

/**
 * @param who the receiver, for the message.
 * @throws BAD_INPUT for arrays of another type, since their bytes would be misread, and for the first value that is NaN
 * or infinite.
 */
export function checkPictures(
  who: string,
  pictures: unknown,
  [height, width, channels]: ImageSize,
): asserts pictures is Pictures {
  if (pictures instanceof Uint8Array) return;
  if (!(pictures instanceof Float32Array)) {
    const expected = "expected a Uint8Array (0 to 255) or a Float32Array (0 to 1)";
    throw new TwingradError("BAD_INPUT", `${who}: the pictures are a ${typeName(pictures)}; ${expected}.`);
  }
  if (allFinite(pictures)) return;
  const at = pictures.findIndex((value) => !Number.isFinite(value));
  const pixel = Math.floor(at / channels);
  const picture = Math.floor(pixel / (height * width));
  const place = `row ${Math.floor(pixel / width) % height}, column ${pixel % width}, channel ${at % channels}`;
  throw new TwingradError(
    "BAD_INPUT",
    `${who}: picture ${picture} has ${pictures[at]} at ${place}, counted from 0; expected finite values from 0 to 1.`,
  );
}

/** x - x is 0 for finite x alone: one loop without a branch. */
export function allFinite(values: ArrayLike<number>): boolean {
  let rest = 0;
  for (let i = 0; i < values.length; i++) rest += values[i] - values[i];
  return rest === 0;
}
