// A box about a face, as files beside pictures and record features give it.
import { TwingradError } from "../errors.ts";

/** Corners of a box in the upright picture: x to the right and y down, in pixels, or in shares of its width and height. */
export interface Box {
  /** Left edge. */
  readonly xmin: number;
  /** Upper edge. */
  readonly ymin: number;
  /** Right edge. */
  readonly xmax: number;
  /** Lower edge. */
  readonly ymax: number;
  /** Whether the corners are shares of the width and height, and not pixels. */
  readonly relative: boolean;
}

/** @throws CORRUPT_FILE, with the box, for one without area. */
export function checkBox(box: Box): void {
  const { xmin, ymin, xmax, ymax } = box;
  if (xmax > xmin && ymax > ymin && [xmin, ymin, xmax, ymax].every(Number.isFinite)) return;
  throw new TwingradError("CORRUPT_FILE", `${describeBox(box)} has no area: xmin < xmax and ymin < ymax were expected`);
}

export function describeBox({ xmin, ymin, xmax, ymax, relative }: Box): string {
  return `the box xmin ${xmin}, ymin ${ymin}, xmax ${xmax}, ymax ${ymax} (${relative ? "shares of the picture" : "pixels"})`;
}
