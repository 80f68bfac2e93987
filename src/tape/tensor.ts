// A tensor on the tape is a shape: its values exist only while a compiled program runs.
import type { Dtype, Storage } from "./lowering/storage.ts";
import type { Tape } from "./tape.ts"; // a tensor knows its tape, a tape its tensors: one thought

export class Tensor {
  readonly tape: Tape;
  readonly shape: readonly number[];
  readonly name: string;
  readonly dtype: Dtype;
  /** For inputs, parameters and constants, which exist before anything is computed. */
  readonly source?: Storage;

  constructor(tape: Tape, shape: readonly number[], name: string, of: Storage | Dtype = "f32") {
    this.tape = tape;
    this.shape = shape;
    this.name = name;
    this.dtype = typeof of === "string" ? of : of.dtype;
    if (typeof of !== "string") this.source = of;
  }

  get size(): number {
    return sizeOf(this.shape);
  }
}

/** Number of elements of a shape; 1 for a scalar, whose shape is []. */
export function sizeOf(shape: readonly number[]): number {
  return shape.reduce((product, extent) => product * extent, 1);
}

/** A shape for messages: [2, 5, 5, 3]. */
export function describe(shape: readonly number[]): string {
  return `[${shape.join(", ")}]`;
}
