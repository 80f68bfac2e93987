// What a program was made of, stage by stage, as data: for people who want to know why it does what it does, and for tools.

export interface GraphTensor {
  /** Tells tensors apart that have the same name. */
  readonly id: number;
  readonly name: string;
  readonly shape: readonly number[];
  readonly dtype: string;
}

export interface GraphOperation {
  readonly operation: string;
  readonly inputs: readonly GraphTensor[];
  readonly outputs: readonly GraphTensor[];
}

/** A fusion: operations that gave way to others. */
export interface GraphRewrite {
  readonly rule: string;
  readonly saves: string;
  readonly from: readonly string[];
  readonly to: readonly string[];
}

/** One dispatch. */
export interface GraphKernel {
  readonly kernel: string;
  /** The operation that it is a part of. */
  readonly operation: string;
  readonly workgroups: readonly [number, number, number];
  /** What it was chosen for, why, and from which candidates; absent where there is but one way. */
  readonly choice?: {
    readonly key: string;
    readonly taken: string;
    /**
     * `only`: no other fits this device. `rule`: by rule of thumb. `timed`: found fastest on this device. `portable`: the
     * device takes portable kernels alone.
     */
    readonly why: "only" | "rule" | "timed" | "portable";
    readonly candidates: readonly string[];
  };
  readonly reads: readonly string[];
  readonly writes: readonly string[];
  /** Whether it depends on parameters alone, and runs only where they have changed. */
  readonly constant: boolean;
}

/** A buffer that temporaries share, whose lives do not overlap. */
export interface GraphBuffer {
  readonly bytes: number;
  /** With the numbers of the first and the last dispatch that use each, from 0. */
  readonly tenants: readonly {
    readonly name: string;
    readonly bytes: number;
    readonly first: number;
    readonly last: number;
  }[];
}

export interface ProgramGraph {
  /** As it was recorded, with the request for gradients of a training step. */
  readonly recorded: readonly GraphOperation[];
  readonly rewrites: readonly GraphRewrite[];
  /** What was lowered: rewritten, differentiated, without what nobody reads. */
  readonly operations: readonly GraphOperation[];
  readonly kernels: readonly GraphKernel[];
  readonly buffers: readonly GraphBuffer[];
}
