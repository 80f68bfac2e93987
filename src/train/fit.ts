// Where a training does not fit the adapter: the largest batch and the largest pictures that would, found by planning
// them.
import type { Device } from "../gpu/device.ts";
import { ResourceError } from "../gpu/errors.ts";
import { siamese } from "../nn/siamese.ts";
import { Session, type Task } from "./session.ts";

/** The same error with the advice computed. `before`: bytes that were on the device already. */
export function whatWouldFit(error: ResourceError, task: Task, device: Device, before: number): ResourceError {
  const budget = error.code === "OUT_OF_MEMORY" ? error.available - before : Number.POSITIVE_INFINITY;
  const fits = (changed: Partial<Task>) => {
    try {
      return Session.plan(device, { ...task, ...changed }) <= budget;
    } catch (other) {
      if (other instanceof ResourceError) return false;
      throw other;
    }
  };
  const options: string[] = [];
  const batch = largest(1, task.batchSize - 1, (batchSize) => fits({ batchSize }));
  if (batch) options.push(`a batch of at most ${batch} in place of ${task.batchSize}`);

  const { imageSize, filters } = task.network.options;
  const [height, width, channels] = imageSize;
  const scaled = (rows: number) => [rows, Math.round((rows * width) / height), channels] as const;
  const least = Math.ceil((2 ** filters.length * height) / Math.min(height, width)); // each block halves
  const rows = task.augmenter // made for one size of picture
    ? undefined
    : largest(least, height - 1, (n) => fits({ network: siamese({ ...task.network.options, imageSize: scaled(n) }) }));
  if (rows)
    options.push(`pictures of at most ${scaled(rows).slice(0, 2).join(" x ")} in place of ${height} x ${width}`);

  const advice =
    options.length > 0
      ? `What would fit: ${options.join(", or ")}`
      : "No smaller batch and no smaller picture would fit: use fewer filters or a shorter embedding";
  const { code, what, needed, available } = error;
  return new ResourceError(code as "LIMIT" | "OUT_OF_MEMORY", what, { needed, available, advice }, { cause: error });
}

/** The largest whole number of `least` to `most` that fits, where all below one that fits do; undefined where none does. */
function largest(least: number, most: number, fits: (n: number) => boolean): number | undefined {
  let [low, high] = [least - 1, most];
  while (low < high) {
    const middle = Math.ceil((low + high) / 2);
    if (fits(middle)) low = middle;
    else high = middle - 1;
  }
  return low >= least ? low : undefined;
}
