// One dispatch of a program with its bindings, and the input values of a run.

export interface BufferRange {
  readonly buffer: GPUBuffer;
  readonly offset: number;
  readonly size: number;
}

/** A tensor that a dispatch reads or writes. */
export interface Operand {
  readonly name: string;
  readonly range: BufferRange;
  readonly elements: number;
  readonly dtype: string;
  readonly written: boolean;
  /** Whether it outlives the step: a parameter or optimizer state. */
  readonly kept: boolean;
}

export interface Dispatch {
  readonly kernel: string;
  /** The choice that selected this kernel among several candidates: `conv2d.forward batch=8 ...`. */
  readonly part?: string;
  readonly pipeline: GPUComputePipeline;
  readonly bindGroup: GPUBindGroup;
  readonly workgroups: readonly [number, number, number];
  readonly reads: readonly string[];
  readonly writes: readonly string[];
  readonly operands: readonly Operand[];
}

export type InputValues = Readonly<Record<string, ArrayLike<number> & (ArrayBufferView | readonly number[])>>;
