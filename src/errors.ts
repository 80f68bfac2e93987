// One family of errors. Each has a stable code for programs and a message for people: what is wrong, what was expected,
// what to do. docs/errors.md lists the codes with their causes and remedies.

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

/** The device was lost; `reason` comes from the browser or the driver. Pending work rejects with this error. */
export class DeviceLostError extends TwingradError {
  /** In the words of the browser or driver. */
  readonly reason: string;
  constructor(reason: string, advice = "Open a device again and load the last saved state", options?: ErrorOptions) {
    super("DEVICE_LOST", `The GPU device was lost: ${reason.replace(/\.?\s*$/, "")}. ${advice}.`, options);
    this.name = "DeviceLostError";
    this.reason = reason;
  }
}

/** An operation cannot take a shape or an option. Thrown while the tape records. */
export class ShapeError extends TwingradError {
  constructor(operation: string, message: string) {
    super("SHAPE", `${operation}: ${message}`);
    this.name = "ShapeError";
  }
}

/** The adapter's memory or binding limit is exceeded: `LIMIT` or `OUT_OF_MEMORY`. Nothing stays allocated. */
export class ResourceError extends TwingradError {
  /** What happened, without the advice. */
  readonly what: string;
  /** The needed amount, in bytes or in the unit of `what`. */
  readonly needed: number;
  /** The amount that the adapter has. */
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
 * Why the disk or the browser's storage refused: no space (`full`), read-only or no permission (`denied`), in use by
 * another tab, worker or program (`busy`), anything else (`other`).
 */
export type DiskReason = "full" | "denied" | "busy" | "other";

/** A file or folder cannot be read, written, removed or listed. Its previous content is unchanged. */
export class DiskError extends TwingradError {
  /** Why, for programs. */
  readonly reason: DiskReason;
  constructor(reason: DiskReason, message: string, options?: ErrorOptions) {
    super("DISK", message, options);
    this.name = "DiskError";
    this.reason = reason;
  }
}

/** A byte count in readable units: 1.5 GiB. */
export function inBytes(bytes: number): string {
  const power = Math.min(3, Math.floor(Math.log2(Math.max(1, bytes)) / 10));
  return `${Number((bytes / 1024 ** power).toPrecision(3))} ${["bytes", "KiB", "MiB", "GiB"][power]}`;
}

/**
 * A step's loss or gradients are NaN or infinite. The parameters already took its update: continue from an earlier
 * state.
 */
export class NotFiniteError extends TwingradError {
  /** Counted from 1. */
  readonly step: number;
  /** NaN, infinite, or finite where only a gradient is not. */
  readonly loss: number;
  /** @param found the result of replaying the step, if it was replayed. */
  constructor(step: number, loss: number, found?: string) {
    const what = Number.isFinite(loss)
      ? `the loss of step ${step} is ${loss}, but not all of its gradients are finite`
      : `the loss of step ${step} is ${loss}`;
    const advice = "a smaller learning rate or gradient clipping may help; saved checkpoints are kept";
    super("NOT_FINITE", `${what}; ${found ? `${found}; ` : ""}${advice}`);
    this.name = "NotFiniteError";
    this.step = step;
    this.loss = loss;
  }
}

/** A liveness model classified a picture as a presentation attack: nothing was enrolled, verified or identified. */
export class NotLiveError extends TwingradError {
  /** The liveness score, from 0 to 1; less than `threshold`. */
  readonly score: number;
  /** The lowest score that is accepted. */
  readonly threshold: number;
  /** The file name, or the index among the given pictures, from 0. */
  readonly picture: string | number;
  constructor(picture: string | number, score: number, threshold: number) {
    const name = typeof picture === "string" ? picture : `picture ${picture}`;
    super(
      "NOT_LIVE",
      `${name}: rejected as a presentation attack (liveness score ${shown(score)}; expected at least ${shown(threshold)})`,
    );
    this.name = "NotLiveError";
    this.score = score;
    this.threshold = threshold;
    this.picture = picture;
  }
}

const shown = (share: number) => Number(share.toPrecision(4)).toString();
