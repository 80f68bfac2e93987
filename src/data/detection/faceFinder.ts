// Where a face is in a photograph: what any detector has to tell.
import type { Box } from "../../formats/box.ts";

/** In pixels of the upright picture, from the left and from the top; a pixel's centre lies at a half. */
export type Point = readonly [x: number, y: number];

/** Centres of the eyes, tip of the nose, corners of the mouth; left and right as the picture shows them. */
export type FaceLandmarks = readonly [
  leftEye: Point,
  rightEye: Point,
  nose: Point,
  leftMouthCorner: Point,
  rightMouthCorner: Point,
];

/** A face that a finder found. */
export interface FoundFace {
  /** Around the face. */
  readonly box: Box;
  /** Absent where a detector has none: such a face is cropped by its box, and not turned upright. */
  readonly landmarks?: FaceLandmarks;
  /** How sure the detector is, from 0 to 1. */
  readonly score: number;
}

/** An upright picture: RGB, row by row, `height * width * 3` values. */
export interface Pixels {
  /** RGB, row by row. */
  readonly data: Uint8Array;
  /** In pixels. */
  readonly height: number;
  /** In pixels. */
  readonly width: number;
}

/** Finds faces; it never says whose they are. */
export interface FaceFinder {
  /** With its version: places that were kept are used again only where the same finder is asked. */
  readonly name: string;
  /** The faces of a picture, in any order; none where there is none. */
  find(picture: Pixels): Promise<readonly FoundFace[]>;
}

/** The longest side, in pixels, of what a finder is shown: larger pictures are made smaller first. */
export const longestSide = 1280;

/** The same faces in a picture `factor` times as large. */
export function enlarged({ box, landmarks, score }: FoundFace, factor: number): FoundFace {
  const { xmin, ymin, xmax, ymax } = box;
  const scaled = {
    xmin: xmin * factor,
    ymin: ymin * factor,
    xmax: xmax * factor,
    ymax: ymax * factor,
    relative: false,
  };
  const points = landmarks?.map(([x, y]): Point => [x * factor, y * factor]);
  return { box: scaled, ...(points && { landmarks: points as unknown as FaceLandmarks }), score };
}
