// One family of errors: a stable code for programs, a sentence for people (what, where, expected, what to do).
// docs/errors.md tells of each code what it means and what helps.

/** All codes; docs/errors.md tells what each means and what helps. */
export const errorCodes = [
  "SHAPE",
  "BAD_INPUT",
  "NO_ADAPTER",
  "MISSING_PACKAGE",
  "LIMIT",
  "OUT_OF_MEMORY",
  "SHADER",
  "DEVICE_LOST",
  "DISPOSED",
  "NOT_FINITE",
  "CHECKPOINT_MISMATCH",
  "CORRUPT_FILE",
  "CORRUPT_RECORD",
  "NOT_LIVE",
  "NO_FACE",
  "DISK",
] as const;

/** A stable code for programs. */
export type ErrorCode = (typeof errorCodes)[number];

/**
 * The base class of all errors that the library throws on purpose.
 * @example
 * ```ts
 * try {
 *   await Model.open(device, bytes);
 * } catch (error) {
 *   if (error instanceof TwingradError && error.code === "CORRUPT_FILE") console.error(error.message);
 *   else throw error;
 * }
 * ```
 */
export class TwingradError extends Error {
  /** What went wrong, for programs. */
  readonly code: ErrorCode;
  constructor(code: ErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = "TwingradError";
    this.code = code;
  }
}

/** The device went away: `reason` is the browser's or driver's. Pending work rejects with this. */
export class DeviceLostError extends TwingradError {
  /** In the words of the browser or driver. */
  readonly reason: string;
  constructor(reason: string, advice = "Open a device again and load the last saved state", options?: ErrorOptions) {
    super("DEVICE_LOST", `The GPU device was lost: ${reason.replace(/\.?\s*$/, "")}. ${advice}.`, options);
    this.name = "DeviceLostError";
    this.reason = reason;
  }
}

/** A shape or option that an operation cannot take; thrown while the tape records. */
export class ShapeError extends TwingradError {
  constructor(operation: string, message: string) {
    super("SHAPE", `${operation}: ${message}`);
    this.name = "ShapeError";
  }
}

/** More bytes, or a larger binding, than the adapter has: `LIMIT` or `OUT_OF_MEMORY`. Nothing was left allocated. */
export class ResourceError extends TwingradError {
  /** What happened, without the advice. */
  readonly what: string;
  /** Of what `what` tells: bytes, unless it tells of something else. */
  readonly needed: number;
  /** What the adapter has of it. */
  readonly available: number;
  constructor(
    code: "LIMIT" | "OUT_OF_MEMORY",
    what: string,
    {
      needed,
      available,
      advice = "Use a smaller batch or image",
    }: { needed: number; available: number; advice?: string },
    options?: ErrorOptions,
  ) {
    super(code, `${what}. ${advice}.`, options);
    this.name = "ResourceError";
    this.what = what;
    this.needed = needed;
    this.available = available;
  }
}

/**
 * Why a disk, or a browser's storage, refused: no room (`full`), read-only or without the right (`denied`), in use by
 * another tab, worker or program (`busy`), anything else (`other`).
 */
export type DiskReason = "full" | "denied" | "busy" | "other";

/** A file or folder that cannot be read, written, removed or listed. What was there before is as it was. */
export class DiskError extends TwingradError {
  /** Why, for programs. */
  readonly reason: DiskReason;
  constructor(reason: DiskReason, message: string, options?: ErrorOptions) {
    super("DISK", message, options);
    this.name = "DiskError";
    this.reason = reason;
  }
}

/** Bytes as people read them: 1.5 GiB. */
export function inBytes(bytes: number): string {
  const power = Math.min(3, Math.floor(Math.log2(Math.max(1, bytes)) / 10));
  return `${Number((bytes / 1024 ** power).toPrecision(3))} ${["bytes", "KiB", "MiB", "GiB"][power]}`;
}

/** A step whose loss or gradients are NaN or infinite. The parameters took its update: go on from an earlier state. */
export class NotFiniteError extends TwingradError {
  /** Counted from 1. */
  readonly step: number;
  /** NaN, infinite, or finite where only a gradient is not. */
  readonly loss: number;
  /** @param found what a replay of the step found, where there was one. */
  constructor(step: number, loss: number, found?: string) {
    const what = Number.isFinite(loss)
      ? `the loss of step ${step} is ${loss}, but not all of its gradients are finite`
      : `the loss of step ${step} is ${loss}`;
    const advice = "a smaller learning rate or clipping the gradients' norm may help; what was saved before is kept";
    super("NOT_FINITE", `${what}; ${found ? `${found}; ` : ""}${advice}`);
    this.name = "NotFiniteError";
    this.step = step;
    this.loss = loss;
  }
}

/** A picture that a liveness model takes for a picture of a picture: nothing was enrolled, verified or identified. */
export class NotLiveError extends TwingradError {
  /** From 0 to 1: how surely the picture shows a live person; less than `threshold`. */
  readonly score: number;
  /** What a picture must score at least. */
  readonly threshold: number;
  /** A file's name, or which of the given pictures it is, from 0. */
  readonly picture: string | number;
  constructor(picture: string | number, score: number, threshold: number) {
    const name = typeof picture === "string" ? picture : `picture ${picture}`;
    super(
      "NOT_LIVE",
      `${name}: refused: this looks like a picture of a picture, not of a live person (score ${shown(score)}, at least ${shown(threshold)} is taken for live)`,
    );
    this.name = "NotLiveError";
    this.score = score;
    this.threshold = threshold;
    this.picture = picture;
  }
}

const shown = (share: number) => Number(share.toPrecision(4)).toString();
