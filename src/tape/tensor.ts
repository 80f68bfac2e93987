// A tensor on the tape is a shape: its values exist only while a compiled program runs.
import type { Dtype, Storage } from "./lowering/storage.ts";
import type { Tape } from "./tape.ts"; // a cycle of types: a tensor has its tape, a tape its tensors

/**
 * A node's output on a tape: a shape and a name, without values until the compiled program runs. Operations take and
 * return tensors.
 */
export class Tensor {
  /** The tape that it was recorded on. */
  readonly tape: Tape;
  /** Row-major extents; images are [N, H, W, C], filters [rows, columns, in, out]. */
  readonly shape: readonly number[];
  /** For messages and `explain`. */
  readonly name: string;
  /** The type of its elements. */
  readonly dtype: Dtype;
  /**
   * The storage of an input, a parameter or a constant, which exists before anything is computed.
   * @internal
   */
  readonly source?: Storage;

  /** @internal */
  constructor(tape: Tape, shape: readonly number[], name: string, of: Storage | Dtype = "f32") {
    this.tape = tape;
    this.shape = shape;
    this.name = name;
    this.dtype = typeof of === "string" ? of : of.dtype;
    if (typeof of !== "string") this.source = of;
  }

  /** Number of elements. */
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
