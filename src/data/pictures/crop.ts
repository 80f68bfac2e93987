// Which part of a picture is looked at: about a face, where somebody says by a box or by landmarks where it is, else about
// the centre. Boxes come with the pictures; src/data/detection looks for faces.
import { TwingradError } from "../../errors.ts";
import { type Box, checkBox, describeBox } from "../../formats/box.ts";
import type { FaceLandmarks } from "../detection/faceFinder.ts";

/**
 * `centre` takes the largest centred part; `box` the surroundings of a picture's box, and where it has none the same; `face`
 * the largest face that a `FaceFinder` finds, turned and scaled to a standard frame by its landmarks.
 */
export interface CropOptions {
  /** Which part of a picture is kept. */
  readonly mode: "centre" | "box" | "face";
  /** Of `box` and `face`: added to the box or frame on every side, as a share of its own side. @default 0 */
  readonly margin?: number;
}

/** The crop of one picture. */
export interface PictureCrop {
  /** The part that is looked at. */
  readonly box: Box;
  /** Added on every side, as a share of the box's own side. */
  readonly margin: number;
  /** Of the upright picture: the face is brought into the standard frame, and the box does not count. */
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

/** @throws BAD_INPUT for a margin that is none. */
export function cropOf(box: Box | undefined, { mode, margin = 0 }: CropOptions): PictureCrop | undefined {
  if (mode !== "box" || !box) return undefined;
  if (!(margin >= 0 && margin <= 10)) {
    throw new TwingradError("BAD_INPUT", `the margin about a box is ${margin}; expected a share of its side, 0 to 10`);
  }
  return { box, margin };
}

/**
 * The part of a picture that is shown in a picture of size `wanted`. The box, cut off at the picture's border, grows by the
 * margin and then on its shorter side to the wanted shape; what would go beyond the border moves inwards, and what is larger
 * than the picture shrinks: nothing is distorted, and nothing is shown that is not in the picture.
 * @throws CORRUPT_FILE, with the box, for one without area or beyond the picture.
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
  const place = (centre: number, own: number, whole: number) =>
    Math.min(whole - own, Math.max(0, Math.round(centre - own / 2)));
  return {
    left: place(inside.left + inside.width / 2, size.width, width),
    top: place(inside.top + inside.height / 2, size.height, height),
    ...size,
  };
}

/** What of the box lies in the picture. */
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

/** The largest centred part of a picture that has the shape of `wanted`. */
export function centredPart([height, width]: Size, wanted: Size): Rectangle {
  const scale = Math.min(width / wanted[1], height / wanted[0]);
  const size = {
    width: Math.max(1, Math.round(wanted[1] * scale)),
    height: Math.max(1, Math.round(wanted[0] * scale)),
  };
  return { ...size, left: Math.floor((width - size.width) / 2), top: Math.floor((height - size.height) / 2) };
}

/** What is told once of a collection: how many of its pictures have a box. Undefined where boxes are not asked for. */
export function cropInWords({ mode, margin = 0 }: CropOptions, boxes: number, pictures: number): string | undefined {
  if (mode !== "box") return undefined;
  const part = "the largest centred part (a square for a square network)";
  const about = `about their box${margin > 0 ? ` with a margin of ${margin}` : ""}`;
  if (boxes === 0) return `none of ${pictures} pictures has a box; they are cropped to ${part}`;
  if (boxes === pictures) return `${pictures} pictures are cropped ${about}`;
  const rest = `${pictures - boxes} without a box to ${part}`;
  return `${boxes} pictures are cropped ${about}, ${rest}`;
}
