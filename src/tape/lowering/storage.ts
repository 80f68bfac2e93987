// Where the elements of a tensor are stored while a program runs.

/** `f16`: packed in pairs, for storage only; arithmetic is float32. */
export type Dtype = "f32" | "u32" | "f16" | "u8";

const bytesOf = { f32: 4, u32: 4, f16: 2, u8: 1 } as const;

/**
 * A tensor's storage. `input`: written by the host before each step. `parameter`: a slice of the parameter store.
 * `constant`: written once. `temporary`: written by the launches of the step, each element once; the planner gives it a
 * buffer that it may share with others.
 */
export class Storage {
  readonly kind: "input" | "parameter" | "constant" | "temporary" | "buffer";
  readonly elements: number;
  readonly bytes: number;
  readonly dtype: Dtype;
  readonly name: string;
  /** For `constant`: its contents. */
  data?: Float32Array;
  // What a tuner needs to try kernels on it (see `Bound`).
  below?: number;
  magnitude?: number;
  mask?: (element: number) => number;
  /** Set if this storage is a slice of a larger one (a gradient inside the optimizer's gradient buffer). */
  within?: { readonly whole: Storage; readonly offset: number };
  /** Set if the buffer exists outside of the program (parameters, optimizer state). */
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

/** The storage that it is a slice of, or itself. */
export const whole = (storage: Storage): Storage => (storage.within ? whole(storage.within.whole) : storage);
