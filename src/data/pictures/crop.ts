// The crop of a picture: around a face, where a box or landmarks locate it, otherwise around the center. Boxes come
// with the pictures; src/data/detection detects faces.
import { TwingradError } from "../../errors.ts";
import { type Box, checkBox, describeBox } from "../../formats/box.ts";
import type { FaceLandmarks } from "../detection/faceFinder.ts";

/**
 * `centre` takes the largest centered part; `box` the picture's box, or the centered part where it has none; `face` the
 * largest face that a `FaceFinder` finds, aligned to a standard frame by its landmarks.
 */
export interface CropOptions {
  /** Which part of a picture is kept. */
  readonly mode: "centre" | "box" | "face";
  /** For `box` and `face`: enlarges the box or frame on every side, as a share of its side. @default 0 */
  readonly margin?: number;
}

/** The crop of one picture. */
export interface PictureCrop {
  /** The part that is looked at. */
  readonly box: Box;
  /** Added on every side, as a share of the box's own side. */
  readonly margin: number;
  /** In pixels of the upright picture. The face is aligned to the standard frame, and the box is ignored. */
  readonly landmarks?: FaceLandmarks;
}

/** In whole pixels. */
export interface Rectangle {
  readonly left: number;
  readonly top: number;
  readonly width: number;
  readonly height: number;
}

type Size = readonly [height: number, width: number];

/** @throws BAD_INPUT for an invalid margin. */
export function cropOf(box: Box | undefined, { mode, margin = 0 }: CropOptions): PictureCrop | undefined {
  if (mode !== "box" || !box) return undefined;
  if (!(margin >= 0 && margin <= 10)) {
    throw new TwingradError("BAD_INPUT", `Invalid margin ${margin}: expected a share of the box's side, from 0 to 10.`);
  }
  return { box, margin };
}

/**
 * The rectangle to crop for a picture of size `wanted`. The box is clipped to the picture, grows by the margin, and
 * then grows along one axis to the wanted aspect ratio. A rectangle that crosses the border moves inwards; one that is
 * larger than the picture shrinks. Nothing is distorted, and nothing is padded.
 * @throws CORRUPT_FILE, with the box, where it has no area or lies outside the picture.
 */
export function croppedPart({ box, margin }: PictureCrop, picture: Size, wanted: Size): Rectangle {
  const inside = inPixels(box, picture);
  const [height, width] = picture;
  const ratio = wanted[1] / wanted[0];
  const grown = 1 + 2 * margin;
  const side = Math.max(inside.height * grown, (inside.width * grown) / ratio);
  const shrink = Math.min(1, height / side, width / (side * ratio));
  const size = {
    height: Math.min(height, Math.max(1, Math.round(side * shrink))),
    width: Math.min(width, Math.max(1, Math.round(side * ratio * shrink))),
  };
  const place = (center: number, own: number, whole: number) =>
    Math.min(whole - own, Math.max(0, Math.round(center - own / 2)));
  return {
    left: place(inside.left + inside.width / 2, size.width, width),
    top: place(inside.top + inside.height / 2, size.height, height),
    ...size,
  };
}

/** The part of the box inside the picture, in pixels. */
function inPixels(box: Box, [height, width]: Size) {
  const [unitX, unitY] = box.relative ? [width, height] : [1, 1];
  checkBox(box);
  const within = (value: number, most: number) => Math.min(most, Math.max(0, value));
  const [left, right] = [box.xmin, box.xmax].map((x) => within(x * unitX, width));
  const [top, bottom] = [box.ymin, box.ymax].map((y) => within(y * unitY, height));
  if (right > left && bottom > top) return { left, top, width: right - left, height: bottom - top };
  throw new TwingradError(
    "CORRUPT_FILE",
    `${describeBox(box)} lies outside the picture of ${width} x ${height} pixels`,
  );
}

/** The largest centered part of a picture with the aspect ratio of `wanted`. */
export function centeredPart([height, width]: Size, wanted: Size): Rectangle {
  const scale = Math.min(width / wanted[1], height / wanted[0]);
  const size = {
    width: Math.max(1, Math.round(wanted[1] * scale)),
    height: Math.max(1, Math.round(wanted[0] * scale)),
  };
  return { ...size, left: Math.floor((width - size.width) / 2), top: Math.floor((height - size.height) / 2) };
}

/** A summary of a collection: how many of its pictures have a box. Undefined unless the mode is `box`. */
export function cropInWords({ mode, margin = 0 }: CropOptions, boxes: number, pictures: number): string | undefined {
  if (mode !== "box") return undefined;
  const part = "the largest centered part (a square for a square network)";
  const about = `about their box${margin > 0 ? ` with a margin of ${margin}` : ""}`;
  if (boxes === 0) return `none of the ${pictures} pictures has a box; they are cropped to ${part}`;
  if (boxes === pictures) return `${pictures} pictures are cropped ${about}`;
  const rest = `${pictures - boxes} without a box to ${part}`;
  return `${boxes} pictures are cropped ${about}, ${rest}`;
}
