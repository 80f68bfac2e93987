// The interface of every engine under test, so that one harness checks and times them all in the same way.

import type { KernelTime } from "../../src/index.ts";
import type { Batch, Configuration, Values } from "../configurations.ts";
import type { OperationCase } from "../operations.ts";

/** One thing to be measured on one engine. */
export interface Subject {
  /**
   * Does the work `times` over. Resolves when the GPU has finished; for a training step that is when the loss of each
   * step has been read back before the next starts. Returns the losses, where there are any.
   */
  run(times: number): Promise<number[]>;
  /** What there is to agree on, in twingrad's layouts: the loss and all gradients, or the operation's results. */
  results(): Promise<Map<string, Float32Array>>;
  /** One more step, with what each of its launches took on the GPU; only of ours. */
  profile?(): Promise<KernelTime[]>;
  dispose(): void;
}

/** A tower that embeds, with fixed weights and averages. */
export interface Embeds {
  /** [count, height, width, channels] in [0, 1] to [count, embedding]; resolves when the host has them. */
  embed(pictures: Float32Array<ArrayBuffer>, count: number): Promise<Float32Array>;
  dispose(): void | Promise<void>;
}

/** The weights and moving averages of a tower, in the form that an engine takes them in. */
export interface Weights {
  readonly weights: ReadonlyMap<string, Values>;
  /** Our model file of them. */
  readonly model: Uint8Array;
  readonly onnx: Uint8Array;
}

/** What embeds. */
export interface Embedding {
  readonly name: string;
  /** The tower alone, ready for calls of `count` pictures. */
  inference(configuration: Configuration, weights: Weights, count: number): Promise<Embeds>;
}

export interface Engine extends Embedding {
  /** A training step: both branches forward, backward, Adam. The first call starts the engine. */
  network(configuration: Configuration, parameters: Map<string, Values>, batch: Batch): Promise<Subject>;
  operation(operation: OperationCase, operands: Record<string, Values>): Promise<Subject>;
}
