// The interface of every engine under test, so that one harness checks and times them all in the same way.

import type { KernelTime } from "../../src/index.ts";
import type { Batch, Configuration, Values } from "../configurations.ts";
import type { OperationCase } from "../operations.ts";

/** A step or operation under test on one engine. */
export interface Subject {
  /**
   * Repeats the work `times` times. Resolves when the GPU has finished; a training step reads its loss back before the
   * next one starts. Returns the losses, if any.
   */
  run(times: number): Promise<number[]>;
  /** The results to compare, in twingrad's layouts: the loss and all gradients, or the operation's results. */
  results(): Promise<Map<string, Float32Array>>;
  /** Runs one more step and measures the GPU time of each launch; ours only. */
  profile?(): Promise<KernelTime[]>;
  dispose(): void;
}

/** A tower that embeds, with fixed weights and averages. */
export interface Embeds {
  /** Embeds [count, height, width, channels] in [0, 1] to [count, embedding]; resolves after the readback. */
  embed(pictures: Float32Array<ArrayBuffer>, count: number): Promise<Float32Array>;
  dispose(): void | Promise<void>;
}

/** The weights and moving averages of a tower, in the forms that engines read. */
export interface Weights {
  readonly weights: ReadonlyMap<string, Values>;
  /** As a twingrad model file. */
  readonly model: Uint8Array;
  readonly onnx: Uint8Array;
}

/** An engine that embeds. */
export interface Embedding {
  readonly name: string;
  /** Opens the tower for calls of `count` pictures. */
  inference(configuration: Configuration, weights: Weights, count: number): Promise<Embeds>;
}

export interface Engine extends Embedding {
  /** A training step: both branches forward, backward, Adam. The first call starts the engine. */
  network(configuration: Configuration, parameters: Map<string, Values>, batch: Batch): Promise<Subject>;
  operation(operation: OperationCase, operands: Record<string, Values>): Promise<Subject>;
}
