// A tensor on the tape is a shape and a place to be: values exist only while a compiled program runs.
import type { Tape } from "./tape.ts";

/** `f16`: packed in pairs, for storage alone; arithmetic is float32. */
export type Dtype = "f32" | "u32" | "f16" | "u8";

const bytesOf = { f32: 4, u32: 4, f16: 2, u8: 1 } as const;

/**
 * Where a tensor's elements live. `input`: written by the host before each step. `parameter`: a slice of the parameter
 * store. `constant`: written once. `temporary`: written by the launches of the step, each element once; the planner
 * gives it a buffer that it may share with others.
 */
export class Storage {
  readonly kind: "input" | "parameter" | "constant" | "temporary" | "buffer";
  readonly elements: number;
  readonly bytes: number;
  readonly dtype: Dtype;
  readonly name: string;
  /** For `constant`: its contents. */
  data?: Float32Array;
  /** Set where this storage is a slice of a larger one (a gradient inside the optimizer's gradient buffer). */
  within?: { readonly whole: Storage; readonly offset: number };
  /** Set where the buffer already exists outside of the program (parameters, optimizer state). */
  external?: { readonly buffer: GPUBuffer; readonly offset: number };

  constructor(kind: Storage["kind"], name: string, elements: number, dtype: Dtype) {
    this.kind = kind;
    this.name = name;
    this.dtype = dtype;
    this.elements = elements;
    // Whole vec4s, so that kernels may view any tensor as array<vec4f>.
    this.bytes = Math.max(16, Math.ceil((elements * bytesOf[dtype]) / 16) * 16);
  }
}

export class Tensor {
  readonly tape: Tape;
  readonly shape: readonly number[];
  readonly name: string;
  private place: Storage | (() => Storage);
  /** Set where this tensor holds another's elements, each once, among zeros: its columns have that other's sums. */
  spreadFrom?: Tensor;

  /** `place` may be a function that appends the launches which write the tensor: see `Tape.deferred`. */
  constructor(tape: Tape, shape: readonly number[], place: Storage | (() => Storage), name: string) {
    this.tape = tape;
    this.shape = shape;
    this.place = place;
    this.name = name;
  }

  /** Where its elements are. Whoever asks needs them: a deferred tensor is computed from here on. */
  get storage(): Storage {
    if (typeof this.place === "function") this.place = this.place();
    return this.place;
  }

  get size(): number {
    return sizeOf(this.shape);
  }

  get dtype(): Dtype {
    return this.storage.dtype;
  }
}

/** Number of elements of a shape; 1 for a scalar, whose shape is []. */
export function sizeOf(shape: readonly number[]): number {
  return shape.reduce((product, extent) => product * extent, 1);
}

/** A shape as people write it, for messages: [2, 5, 5, 3]. */
export function describe(shape: readonly number[]): string {
  return `[${shape.join(", ")}]`;
}
