// One dispatch of a program with its bindings, and the input values of a run.
import type { Device } from "./device.ts";

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

/** A step that is ready to be submitted. */
export interface StepParts {
  readonly device: Device;
  readonly dispatches: readonly Dispatch[];
  readonly gradients: readonly BufferRange[];
  readonly loss: BufferRange;
  /** Copies what the step reads back; encoded after its last dispatch. */
  readonly results: (encoder: GPUCommandEncoder) => void;
}

/** Submits a step instead of its program. */
export type Divide = (parts: StepParts) => Promise<void>;

/** The parts of a dispatch that are encoded. */
export type BoundKernel = Pick<Dispatch, "pipeline" | "bindGroup" | "workgroups">;

export function encode(pass: GPUComputePassEncoder, { pipeline, bindGroup, workgroups }: BoundKernel): void {
  pass.setPipeline(pipeline);
  pass.setBindGroup(0, bindGroup);
  pass.dispatchWorkgroups(workgroups[0], workgroups[1], workgroups[2]);
}

/** Submits these dispatches, then the copies that `copy` encodes. */
export function submit(
  { gpu }: Device,
  dispatches: readonly BoundKernel[],
  copy?: (encoder: GPUCommandEncoder) => void,
): void {
  const encoder = gpu.createCommandEncoder();
  const pass = encoder.beginComputePass();
  for (const dispatch of dispatches) encode(pass, dispatch);
  pass.end();
  copy?.(encoder);
  gpu.queue.submit([encoder.finish()]);
}
