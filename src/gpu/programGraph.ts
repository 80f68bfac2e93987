// A program's compilation, stage by stage, as data: for people who inspect it, and for tools.

/** A tensor of the graph. */
export interface GraphTensor {
  /** Distinguishes tensors with the same name. */
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
  /** The tensors that it reads. */
  readonly inputs: readonly GraphTensor[];
  /** The tensors that it computes. */
  readonly outputs: readonly GraphTensor[];
}

/** A fusion: operations and their replacement. */
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
  /** The number of workgroups in x, y, z. */
  readonly workgroups: readonly [number, number, number];
  /** The choice, its reason and its candidates; absent if there is only one kernel. */
  readonly choice?: {
    /** What is computed, with its extents. */
    readonly key: string;
    /** The candidate that was taken. */
    readonly taken: string;
    /**
     * `only`: no other candidate fits this device. `rule`: chosen by rule. `timed`: measured fastest on this device.
     * `portable`: the device uses portable kernels only.
     */
    readonly why: "only" | "rule" | "timed" | "portable";
    /** All that fit this device. */
    readonly candidates: readonly string[];
  };
  /** Names of the tensors that it reads. */
  readonly reads: readonly string[];
  /** Names of the tensors that it writes. */
  readonly writes: readonly string[];
  /** Whether it depends on parameters alone, and runs only after they change. */
  readonly constant: boolean;
}

/** A buffer shared by temporaries with disjoint lifetimes. */
export interface GraphBuffer {
  /** Its size. */
  readonly bytes: number;
  /** With the indices of the first and the last dispatch that use each, from 0. */
  readonly tensors: readonly {
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
 * A compiled program as data: the recorded and the rewritten operations, the kernels and the buffers. `Program.explain`
 * prints it.
 */
export interface ProgramGraph {
  /** As recorded, with the gradient request of a training step. */
  readonly recorded: readonly GraphOperation[];
  /** Which fusions were applied. */
  readonly rewrites: readonly GraphRewrite[];
  /** The operations that were lowered: rewritten, differentiated, without unused ones. */
  readonly operations: readonly GraphOperation[];
  /** The dispatches, in order. */
  readonly kernels: readonly GraphKernel[];
  /** The buffers, each with the temporaries that share it. */
  readonly buffers: readonly GraphBuffer[];
}
