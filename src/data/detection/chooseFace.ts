// Chooses the face of a photograph and checks its quality: a poor crop makes a poor embedding.
import { TwingradError } from "../../errors.ts";
import { type FaceLandmarks, type FoundFace, longestSide, type Pixels } from "./faceFinder.ts";
import { frameToPicture, resampledThrough } from "./faceFrame.ts";

/** What may be wrong with a photograph, in the order of reporting. */
export const faceFaults = ["none", "several", "small", "turned", "blurred"] as const;
/** What may be wrong with a photograph of a face. */
export type FaceFault = (typeof faceFaults)[number];

/**
 * `use`: the largest face as it is (for `none`: the center of the picture); `skip`: the picture is left out; `fail`: an
 * error that names the picture.
 */
export type FaceAction = "use" | "skip" | "fail";

/** The action for each fault. */
export type FacePolicy = Readonly<Record<FaceFault, FaceAction>>;

/** A picture without a face is skipped; the largest of several faces is used; a face of poor quality is used. */
export const defaultPolicy: FacePolicy = { none: "skip", several: "use", small: "use", turned: "use", blurred: "use" };

/** Thresholds of the faults, measured on portraits that were downscaled, blurred and rotated (docs/crops.md). */
export const faceLimits = {
  /** Least distance between the centers of the eyes, in pixels; without landmarks, 0.4 times the box's width. */
  eyeDistance: 12,
  /** Largest offset of the nose from the midpoint between the eyes, in eye distances: about 35 degrees of yaw. */
  noseOffset: 0.35,
  /** Least share of the variance of a face, in a frame of 112 x 112, in differences of neighboring pixels. */
  detail: 0.0005,
} as const;

/** The face that a photograph is cropped to, and its faults. */
export interface ChosenFace {
  /** Undefined if no face was found. */
  readonly face: FoundFace | undefined;
  /** Empty if there is no fault. */
  readonly faults: readonly FaceFault[];
}

/** The largest face, by the area of its box, and its faults. @param picture the picture that the detector saw. */
export function chooseFace(found: readonly FoundFace[], picture: Pixels): ChosenFace {
  if (found.length === 0) return { face: undefined, faults: ["none"] };
  const face = found.reduce((best, other) => (areaOf(other) > areaOf(best) ? other : best));
  // A much smaller second face is somebody in the background, and does not count.
  const several = found.some((other) => other !== face && areaOf(other) > areaOf(face) / 4);
  const has: Record<FaceFault, boolean> = {
    none: false,
    several,
    small: eyeDistance(face) < faceLimits.eyeDistance,
    turned: face.landmarks !== undefined && noseOffset(face.landmarks) > faceLimits.noseOffset,
    blurred: face.landmarks !== undefined && detailOf(picture, face.landmarks) < faceLimits.detail,
  };
  return { face, faults: faceFaults.filter((fault) => has[fault]) };
}

const areaOf = ({ box }: FoundFace) => (box.xmax - box.xmin) * (box.ymax - box.ymin);

export function eyeDistance({ box, landmarks }: FoundFace): number {
  if (!landmarks) return 0.4 * (box.xmax - box.xmin);
  const [left, right] = landmarks;
  return Math.hypot(right[0] - left[0], right[1] - left[1]);
}

/** The nose's offset from the midpoint between the eyes, along the line through them, in eye distances. */
export function noseOffset([left, right, nose]: FaceLandmarks): number {
  const [dx, dy] = [right[0] - left[0], right[1] - left[1]];
  const [x, y] = [nose[0] - (left[0] + right[0]) / 2, nose[1] - (left[1] + right[1]) / 2];
  return Math.abs(x * dx + y * dy) / (dx * dx + dy * dy);
}

/**
 * For the aligned face in gray: mean square of the Laplacian over 16 times the variance; invariant to gain and offset.
 */
export function detailOf({ data, height, width }: Pixels, landmarks: FaceLandmarks): number {
  const side = 112;
  const aligned = resampledThrough(frameToPicture(landmarks, [side, side]), data, [height, width, 3], [side, side]);
  const gray = Float64Array.from(
    { length: side * side },
    (_, i) => (aligned[3 * i] + aligned[3 * i + 1] + aligned[3 * i + 2]) / 3,
  );
  const mean = gray.reduce((sum, value) => sum + value, 0) / gray.length;
  const variance = gray.reduce((sum, value) => sum + (value - mean) ** 2, 0) / gray.length;
  let squares = 0;
  for (let y = 1; y < side - 1; y++) {
    for (let x = 1; x < side - 1; x++) {
      const i = y * side + x;
      squares += (gray[i - 1] + gray[i + 1] + gray[i - side] + gray[i + side] - 4 * gray[i]) ** 2;
    }
  }
  return variance === 0 ? 0 : squares / ((side - 2) ** 2 * 16 * variance);
}

/** Descriptions of the faults for messages. */
export const faultInWords: Readonly<Record<FaceFault, string>> = {
  none: "no face was found",
  several: "there are several faces",
  small: `the face is too small (less than ${faceLimits.eyeDistance} pixels between the eyes)`,
  turned: "the face is turned away",
  blurred: "the face is blurred",
};

/** The default policy with these changes. @throws BAD_INPUT for an unknown fault or action. */
export function facePolicy(changes: Partial<FacePolicy> = {}): FacePolicy {
  for (const [fault, action] of Object.entries(changes)) {
    if (!faceFaults.includes(fault as FaceFault) || !["use", "skip", "fail"].includes(action)) {
      throw new TwingradError(
        "BAD_INPUT",
        `Invalid face policy ${fault}: ${action}; expected one of ${faceFaults.join(", ")}, with use, skip or fail.`,
      );
    }
  }
  return { ...defaultPolicy, ...changes };
}

/** The factor, at most 1, that a picture is downscaled by before a detector sees it. */
export const shownScale = (height: number, width: number): number => Math.min(1, longestSide / Math.max(height, width));
