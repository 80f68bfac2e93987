// Compares the engines' results: times of incorrect work are meaningless.

interface Size {
  /** Largest absolute value. */
  readonly largest: number;
  /** Square root of the sum of squares. */
  readonly norm: number;
}

function sizeOf(values: Float32Array): Size {
  let largest = 0;
  let squares = 0;
  for (const v of values) {
    if (Number.isNaN(v)) return { largest: Number.POSITIVE_INFINITY, norm: Number.POSITIVE_INFINITY };
    largest = Math.max(largest, Math.abs(v));
    squares += v * v;
  }
  return { largest, norm: Math.sqrt(squares) };
}

/** Norms of the difference; infinite if a result is missing. */
function difference(found: Float32Array | undefined, reference: Float32Array): Size {
  if (found?.length !== reference.length) return { largest: Number.POSITIVE_INFINITY, norm: Number.POSITIVE_INFINITY };
  return sizeOf(reference.map((v, i) => found[i] - v));
}

const over = (error: number, scale: number) => (error === 0 ? 0 : error / scale);

export interface Agreement {
  /** The result that differs most from the reference engine's: largest difference over largest value. */
  readonly worst: string;
  readonly error: number;
  /** The largest ratio, over all results, of the difference's norm to the result's norm. */
  readonly normError: number;
  /** The relative difference of a training step's loss. */
  readonly loss?: number;
  readonly compared: number;
}

/**
 * Compares every result with the reference's. A convolution's bias has no gradient in exact arithmetic, for the
 * batch-norm after it cancels any constant: it is rounding noise, compared with the same layer's kernel.
 */
export function compare(found: Map<string, Float32Array>, reference: Map<string, Float32Array>): Agreement {
  let worst = "";
  let error = -1;
  let normError = 0;
  for (const [name, values] of reference) {
    const kernel = name.endsWith("conv/bias") ? reference.get(name.replace("bias", "kernel")) : undefined;
    const sizes = [values, kernel].filter((v) => v !== undefined).map(sizeOf);
    const off = difference(found.get(name), values);
    const here = over(off.largest, Math.max(...sizes.map((s) => s.largest)));
    if (here > error) [worst, error] = [name, here];
    normError = Math.max(normError, over(off.norm, Math.max(...sizes.map((s) => s.norm))));
  }
  const loss = reference.get("loss");
  const lossError = loss && over(difference(found.get("loss"), loss).largest, sizeOf(loss).largest);
  return { worst, error, normError, ...(loss ? { loss: lossError } : {}), compared: reference.size };
}
