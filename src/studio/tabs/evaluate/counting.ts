// Counts of sorted distances up to a threshold, and their histogram.

/** How many values are at most `threshold`. */
export function accepted(ascending: Float64Array, threshold: number): number {
  let [low, high] = [0, ascending.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (ascending[middle] <= threshold) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** The least threshold at which at least as large a share of impostors is accepted as of genuine pairs is rejected. */
export function equalErrorThreshold(genuine: Float64Array, impostor: Float64Array): number {
  const distances = Float64Array.from([...genuine, ...impostor]).sort();
  let [low, high] = [0, distances.length - 1];
  while (low < high) {
    const middle = (low + high) >> 1;
    const at = distances[middle];
    const [accepts, rejects] = [accepted(impostor, at) / impostor.length, 1 - accepted(genuine, at) / genuine.length];
    if (accepts >= rejects) high = middle;
    else low = middle + 1;
  }
  return distances[low];
}

export interface Bins {
  readonly low: number;
  /** The largest distance; `low` plus all widths may be rounded to less. */
  readonly high: number;
  readonly width: number;
  /** Shares of all pairs of the kind. */
  readonly genuine: readonly number[];
  readonly impostor: readonly number[];
}

/** Bins of equal width over all distances. */
export function binned(genuine: Float64Array, impostor: Float64Array, count = 40): Bins {
  const low = Math.min(genuine[0], impostor[0]);
  const high = Math.max(genuine[genuine.length - 1], impostor[impostor.length - 1]);
  const width = (high - low) / count || 1;
  const shares = (values: Float64Array) => {
    const counts = new Array<number>(count).fill(0);
    for (const value of values) counts[Math.min(count - 1, Math.floor((value - low) / width))]++;
    return counts.map((n) => n / values.length);
  };
  return { low, high, width, genuine: shares(genuine), impostor: shares(impostor) };
}
