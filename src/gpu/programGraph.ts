// A program's compilation, stage by stage, as data: for people who inspect it, and for tools.

export interface GraphTensor {
  /** Distinguishes tensors with the same name. */
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

/** A fusion: operations and their replacement. */
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
  /** The choice, its reason and its candidates; absent if there is only one kernel. */
  readonly choice?: {
    readonly key: string;
    readonly taken: string;
    /**
     * `only`: no other candidate fits this device. `rule`: chosen by rule. `timed`: measured fastest on this device.
     * `portable`: the device uses portable kernels only.
     */
    readonly why: "only" | "rule" | "timed" | "portable";
    readonly candidates: readonly string[];
  };
  readonly reads: readonly string[];
  readonly writes: readonly string[];
  /** Whether it depends on parameters alone, and runs only after they change. */
  readonly constant: boolean;
}

/** A buffer shared by temporaries with disjoint lifetimes. */
export interface GraphBuffer {
  readonly bytes: number;
  /** With the indices of the first and the last dispatch that use each, from 0. */
  readonly tenants: readonly {
    readonly name: string;
    readonly bytes: number;
    readonly first: number;
    readonly last: number;
  }[];
}

export interface ProgramGraph {
  /** As recorded, with the gradient request of a training step. */
  readonly recorded: readonly GraphOperation[];
  readonly rewrites: readonly GraphRewrite[];
  /** The operations that were lowered: rewritten, differentiated, without unused ones. */
  readonly operations: readonly GraphOperation[];
  readonly kernels: readonly GraphKernel[];
  readonly buffers: readonly GraphBuffer[];
}
