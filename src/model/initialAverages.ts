// Bias correction of batch-norm's moving averages: after few steps they still contain a share of their initial values.
import { branches } from "../data/batch.ts";
import { batchKind, type ModelDescription } from "./description.ts";

/**
 * The share of the initial values (mean 0, variance 1) in the moving averages: momentum^n after n updates, one for each
 * branch of a step. After few steps it is most of a small variance. 0 if it is negligible.
 */
export function initialShare(description: ModelDescription & { step: number }): number {
  const { step, network, init } = description;
  if (init !== undefined) return 0; // initialized from another model's
  const rest = network.batchNormMomentum ** (branches[batchKind(description)].length * step);
  return step === 0 || rest < 1e-7 ? 0 : rest;
}

/** Removes that share from a moving average, as Adam corrects its moments; other parameters are returned unchanged. */
export function withoutInitial(name: string, values: Float32Array, share: number): Float32Array {
  const initial = name.endsWith("/moving_mean") ? 0 : name.endsWith("/moving_variance") ? 1 : undefined;
  if (initial === undefined || share === 0) return values;
  return values.map((value) => (value - share * initial) / (1 - share));
}
