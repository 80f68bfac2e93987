// What batch-norm is told, whether it is an operation of its own or part of a block.
import type { Tensor } from "../../tape/tensor.ts";

/** Batch-norm's in TensorFlow, and so in the article. */
export const defaultEpsilon = 1e-3;
export const defaultMomentum = 0.99;

export interface BatchNormOptions {
  /** [C]. */
  readonly gamma: Tensor;
  /** [C]. */
  readonly beta: Tensor;
  /** Added to the variance; 1e-3 by default. */
  readonly epsilon?: number;
  /** The batch is cut into this many equal parts, each with statistics of its own: 2 for two branches in one stack. */
  readonly groups?: number;
  /** Averages that training moves, once for each group, and inference uses: moving = m moving + (1 - m) batch's. */
  readonly moving?: { readonly mean: Tensor; readonly variance: Tensor; readonly momentum?: number };
  /** Whether to use the batch's own statistics (default) or the moving averages. */
  readonly training?: boolean;
  /** max(0, .) of the result, in the same pass. */
  readonly activation?: "relu";
}
