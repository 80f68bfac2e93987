// Which face of a photograph is taken, and what speaks against it: a model is only as good as the pictures that it is shown.
import { TwingradError } from "../../errors.ts";
import { type FaceLandmarks, type FoundFace, longestSide, type Pixels } from "./faceFinder.ts";
import { frameToPicture, seenThrough } from "./faceFrame.ts";

/** What may be wrong with a photograph, in the order in which it is told. */
export const faceFaults = ["none", "several", "small", "turned", "blurred"] as const;
/** What may be wrong with a photograph of a face. */
export type FaceFault = (typeof faceFaults)[number];

/**
 * `use`: the largest face as it is (of `none`: the centre of the picture); `skip`: the picture takes no part; `fail`: an
 * error that names it.
 */
export type FaceAction = "use" | "skip" | "fail";

/** What is done about each fault. */
export type FacePolicy = Readonly<Record<FaceFault, FaceAction>>;

/** A picture without a face is left out; the largest of several is taken; a poor face is used. */
export const defaultPolicy: FacePolicy = { none: "skip", several: "use", small: "use", turned: "use", blurred: "use" };

/** Below these a face has a fault. Measured on portraits that were made smaller, blurred and turned (docs/crops.md). */
export const faceLimits = {
  /** Between the centres of the eyes, in pixels; without landmarks four tenths of the box's width stand for it. */
  eyeDistance: 12,
  /** How far the tip of the nose may lie off the middle between the eyes, in eye distances: about 35 degrees of yaw. */
  noseOffset: 0.35,
  /** Share of a face's variance, in a frame of 112 x 112, that is in differences of neighbouring pixels. */
  detail: 0.0005,
} as const;

/** The face that a photograph is cropped to, and what is wrong with it. */
export interface ChosenFace {
  /** Undefined where none was found. */
  readonly face: FoundFace | undefined;
  /** Empty where all is well. */
  readonly faults: readonly FaceFault[];
}

/** The largest face, by the area of its box, and what is wrong. @param picture what the finder was shown. */
export function chooseFace(found: readonly FoundFace[], picture: Pixels): ChosenFace {
  if (found.length === 0) return { face: undefined, faults: ["none"] };
  const face = found.reduce((best, other) => (areaOf(other) > areaOf(best) ? other : best));
  // A second face counts where it is not tiny beside the first: somebody far behind is nobody's second face.
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

/** How far the nose lies off the middle between the eyes, along the line through them, in eye distances. */
export function noseOffset([left, right, nose]: FaceLandmarks): number {
  const [dx, dy] = [right[0] - left[0], right[1] - left[1]];
  const [x, y] = [nose[0] - (left[0] + right[0]) / 2, nose[1] - (left[1] + right[1]) / 2];
  return Math.abs(x * dx + y * dy) / (dx * dx + dy * dy);
}

/** Of the aligned face in grey: mean square of the Laplacian over 16 times the variance; no light changes it. */
export function detailOf({ data, height, width }: Pixels, landmarks: FaceLandmarks): number {
  const side = 112;
  const seen = seenThrough(frameToPicture(landmarks, [side, side]), data, [height, width, 3], [side, side]);
  const grey = Float64Array.from(
    { length: side * side },
    (_, i) => (seen[3 * i] + seen[3 * i + 1] + seen[3 * i + 2]) / 3,
  );
  const mean = grey.reduce((sum, value) => sum + value, 0) / grey.length;
  const variance = grey.reduce((sum, value) => sum + (value - mean) ** 2, 0) / grey.length;
  let squares = 0;
  for (let y = 1; y < side - 1; y++) {
    for (let x = 1; x < side - 1; x++) {
      const i = y * side + x;
      squares += (grey[i - 1] + grey[i + 1] + grey[i - side] + grey[i + side] - 4 * grey[i]) ** 2;
    }
  }
  return variance === 0 ? 0 : squares / ((side - 2) ** 2 * 16 * variance);
}

/** What a reader is told of a fault. */
export const faultInWords: Readonly<Record<FaceFault, string>> = {
  none: "no face was found",
  several: "there are several faces",
  small: `the face is too small (less than ${faceLimits.eyeDistance} pixels between the eyes)`,
  turned: "the face is turned away",
  blurred: "the face is blurred",
};

/** The policy with what is said of it changed. @throws BAD_INPUT for a fault or an action that there is not. */
export function facePolicy(said: Partial<FacePolicy> = {}): FacePolicy {
  for (const [fault, action] of Object.entries(said)) {
    if (!faceFaults.includes(fault as FaceFault) || !["use", "skip", "fail"].includes(action)) {
      throw new TwingradError(
        "BAD_INPUT",
        `the face policy says ${fault}: ${action}; expected one of ${faceFaults.join(", ")}, and use, skip or fail`,
      );
    }
  }
  return { ...defaultPolicy, ...said };
}

/** The factor by which a picture is made smaller before a finder sees it: 1 or less. */
export const shownScale = (height: number, width: number): number => Math.min(1, longestSide / Math.max(height, width));
