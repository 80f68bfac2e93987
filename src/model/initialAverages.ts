// The initial values of moving averages, which a model of few steps still holds a share of.
import { branches } from "../data/batch.ts";
import { batchKind, type ModelDescription } from "./description.ts";

/**
 * How much of the moving averages' initial values, mean 0 and variance 1, is still in them: momentum^n after n updates, one
 * for each branch of a step, which after few steps is most of a small variance. 0 where it is too little to tell.
 */
export function initialShare(description: ModelDescription & { step: number }): number {
  const { step, network, init } = description;
  if (init !== undefined) return 0; // they began as another model's
  const rest = network.batchNormMomentum ** (branches[batchKind(description)].length * step);
  return step === 0 || rest < 1e-7 ? 0 : rest;
}

/** A parameter's values without that share, as Adam takes the zeros out of its moments; the same where it is no average. */
export function withoutInitial(name: string, values: Float32Array, share: number): Float32Array {
  const initial = name.endsWith("/moving_mean") ? 0 : name.endsWith("/moving_variance") ? 1 : undefined;
  if (initial === undefined || share === 0) return values;
  return values.map((value) => (value - share * initial) / (1 - share));
}
