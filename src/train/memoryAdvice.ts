// If a training does not fit the adapter: finds, by planning, the storage of activations, the largest batch and the
// largest pictures that would fit.

import { ResourceError } from "../errors.ts";
import { networkOf } from "../nn/livenessNetwork.ts";
import { leastSide } from "../nn/towers.ts";
import type { TrainingSpec } from "./trainingSpec.ts";

/**
 * The same error with advice.
 * @param before bytes already allocated on the device.
 * @param plan returns the bytes of a training step; throws `LIMIT` if the adapter could not hold it.
 */
export function whatWouldFit(
  error: ResourceError,
  spec: TrainingSpec,
  before: number,
  plan: (spec: TrainingSpec) => number,
): ResourceError {
  const budget = error.code === "OUT_OF_MEMORY" ? error.available - before : Number.POSITIVE_INFINITY;
  const fits = (changed: Partial<TrainingSpec>) => {
    try {
      return plan({ ...spec, ...changed }) <= budget;
    } catch (other) {
      if (other instanceof ResourceError) return false;
      throw other;
    }
  };
  const options: string[] = [];
  const kept = otherStorage(spec).find(({ changed }) => fits(changed));
  if (kept) options.push(kept.name);
  const {
    imageSize,
    towers: { length: towers },
  } = spec.network.options;
  const parts = largest(1, spec.batchSize / towers - 1, (n) => fits({ batchSize: n * towers }));
  if (parts) options.push(`a batch of at most ${parts * towers} in place of ${spec.batchSize}`);

  const [height, width, channels] = imageSize;
  const scaled = (rows: number) => [rows, Math.round((rows * width) / height), channels] as const;
  const least = Math.ceil((leastSide(spec.network.options) * height) / Math.min(height, width));
  const rows = spec.augmenter // it is built for one picture size
    ? undefined
    : largest(least, height - 1, (n) =>
        fits({ network: networkOf(spec.network.task, { ...spec.network.options, imageSize: scaled(n) }) }),
      );
  if (rows)
    options.push(`pictures of at most ${scaled(rows).slice(0, 2).join(" x ")} in place of ${height} x ${width}`);

  const advice =
    options.length > 0
      ? `What would fit: ${options.join(", or ")}`
      : "No smaller batch, no smaller picture and no other storage would fit: use fewer filters or a shorter embedding";
  const { code, what, needed, available } = error;
  return new ResourceError(code as "LIMIT" | "OUT_OF_MEMORY", what, { needed, available, advice }, { cause: error });
}

/** Other ways to store activations that change something, cheapest first. */
function otherStorage({ storage, recompute }: TrainingSpec): { name: string; changed: Partial<TrainingSpec> }[] {
  const half = { name: 'half storage (storage "float16")', changed: { storage: "float16" } as const };
  const again = { name: "recomputation (recompute true)", changed: { recompute: true } };
  const both = {
    name: 'half storage with recomputation (storage "float16", recompute true)',
    changed: { ...half.changed, ...again.changed },
  };
  if (storage === "float16") return recompute ? [] : [again];
  return recompute ? [half] : [half, again, both];
}

/** The largest integer from `least` to `most` that fits, if all smaller ones fit; undefined if none does. */
function largest(least: number, most: number, fits: (n: number) => boolean): number | undefined {
  let [low, high] = [least - 1, most];
  while (low < high) {
    const middle = Math.ceil((low + high) / 2);
    if (fits(middle)) low = middle;
    else high = middle - 1;
  }
  return low >= least ? low : undefined;
}
