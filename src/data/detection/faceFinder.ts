// The interface of face detectors.
import type { Box } from "../../formats/box.ts";

/** In pixels of the upright picture, from the left and from the top; pixel centers are at half-integers. */
export type Point = readonly [x: number, y: number];

/** Centers of the eyes, tip of the nose, corners of the mouth; left and right as seen in the picture. */
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
  /** Absent where the detector has no landmarks: the face is then cropped by its box, and not rotated upright. */
  readonly landmarks?: FaceLandmarks;
  /** The detector's confidence, from 0 to 1. */
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

/** A face detector; it does not recognize. */
export interface FaceFinder {
  /** Includes the version: cached detections are valid only for the same detector. */
  readonly name: string;
  /** The faces of a picture, in any order; empty where there are none. */
  find(picture: Pixels): Promise<readonly FoundFace[]>;
}

/** The longest side, in pixels, that a detector sees: larger pictures are downscaled first. */
export const longestSide = 1280;

/** The same faces in coordinates of a picture `factor` times as large. */
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
