// What a program was made of, stage by stage, as data: for people who want to know why it does what it does, and for tools.

/** A tensor of the graph. */
export interface GraphTensor {
  /** Tells tensors apart that have the same name. */
  readonly id: number;
  /** Not unique: see `id`. */
  readonly name: string;
  /** Row-major; images are NHWC. */
  readonly shape: readonly number[];
  /** `f32`, `f16`, `u32` or `u8`. */
  readonly dtype: string;
}

/** One recorded or rewritten operation. */
export interface GraphOperation {
  /** Its name, as "conv2d". */
  readonly operation: string;
  /** What it reads. */
  readonly inputs: readonly GraphTensor[];
  /** What it makes. */
  readonly outputs: readonly GraphTensor[];
}

/** A fusion: operations that gave way to others. */
export interface GraphRewrite {
  /** The rule's name. */
  readonly rule: string;
  /** What the rule saves, in a sentence. */
  readonly saves: string;
  /** The operations that were replaced. */
  readonly from: readonly string[];
  /** The operations in their place. */
  readonly to: readonly string[];
}

/** One dispatch. */
export interface GraphKernel {
  /** The WGSL file's name without its ending. */
  readonly kernel: string;
  /** The operation that it is a part of. */
  readonly operation: string;
  /** Of the dispatch, in x, y, z. */
  readonly workgroups: readonly [number, number, number];
  /** What it was chosen for, why, and from which candidates; absent where there is but one way. */
  readonly choice?: {
    /** What is computed, with its extents. */
    readonly key: string;
    /** The candidate that was taken. */
    readonly taken: string;
    /**
     * `only`: no other fits this device. `rule`: by rule of thumb. `timed`: found fastest on this device. `portable`: the
     * device takes portable kernels alone.
     */
    readonly why: "only" | "rule" | "timed" | "portable";
    /** All that fit this device. */
    readonly candidates: readonly string[];
  };
  /** Names of the tensors that it reads. */
  readonly reads: readonly string[];
  /** Names of the tensors that it writes. */
  readonly writes: readonly string[];
  /** Whether it depends on parameters alone, and runs only where they have changed. */
  readonly constant: boolean;
}

/** A buffer that temporaries share, whose lives do not overlap. */
export interface GraphBuffer {
  /** Its size. */
  readonly bytes: number;
  /** With the numbers of the first and the last dispatch that use each, from 0. */
  readonly tenants: readonly {
    /** The tensor. */
    readonly name: string;
    /** The tensor's size. */
    readonly bytes: number;
    /** The first dispatch that uses it, from 0. */
    readonly first: number;
    /** The last dispatch that uses it, from 0. */
    readonly last: number;
  }[];
}

/**
 * A compiled program as data: what was recorded, what it was rewritten to, its kernels and buffers. `Program.explain` prints it.
 */
export interface ProgramGraph {
  /** As it was recorded, with the request for gradients of a training step. */
  readonly recorded: readonly GraphOperation[];
  /** Which fusions were applied. */
  readonly rewrites: readonly GraphRewrite[];
  /** What was lowered: rewritten, differentiated, without what nobody reads. */
  readonly operations: readonly GraphOperation[];
  /** The dispatches, in order. */
  readonly kernels: readonly GraphKernel[];
  /** Who shares memory. */
  readonly buffers: readonly GraphBuffer[];
}
