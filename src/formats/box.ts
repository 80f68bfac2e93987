// The bounding box of a face, from files beside pictures or from record features.
import { TwingradError } from "../errors.ts";

/** The corners in the upright picture: x to the right, y down, in pixels or in shares of its width and height. */
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

/** @throws CORRUPT_FILE, with the box, where it has no area. */
export function checkBox(box: Box): void {
  const { xmin, ymin, xmax, ymax } = box;
  if (xmax > xmin && ymax > ymin && [xmin, ymin, xmax, ymax].every(Number.isFinite)) return;
  throw new TwingradError("CORRUPT_FILE", `${describeBox(box)} has no area; expected xmin < xmax and ymin < ymax`);
}

export function describeBox({ xmin, ymin, xmax, ymax, relative }: Box): string {
  return `the box xmin ${xmin}, ymin ${ymin}, xmax ${xmax}, ymax ${ymax} (${relative ? "shares of the picture" : "pixels"})`;
}
