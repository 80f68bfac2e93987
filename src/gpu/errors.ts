// One family of errors: a stable code for programs, a sentence for people (what, where, expected, what to do).

export type ErrorCode =
  | "SHAPE"
  | "NO_ADAPTER"
  | "LIMIT"
  | "OUT_OF_MEMORY"
  | "SHADER"
  | "DEVICE_LOST"
  | "DISPOSED"
  | "NOT_FINITE"
  | "CHECKPOINT_MISMATCH"
  | "CORRUPT_FILE"
  | "CORRUPT_RECORD"
  | "BAD_INPUT";

export class TwingradError extends Error {
  readonly code: ErrorCode;
  constructor(code: ErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = "TwingradError";
    this.code = code;
  }
}

/** The device went away: `message` holds the browser's or driver's reason. Pending work rejects with this. */
export class DeviceLostError extends TwingradError {
  constructor(reason: string) {
    super("DEVICE_LOST", `The GPU device was lost: ${reason}. Open a device again and reload the last saved state.`);
    this.name = "DeviceLostError";
  }
}

/** A shape or option that an operation cannot take; thrown while the tape records. */
export class ShapeError extends TwingradError {
  constructor(operation: string, message: string) {
    super("SHAPE", `${operation}: ${message}`);
    this.name = "ShapeError";
  }
}
