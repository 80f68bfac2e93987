// Whether engines agree: no time is worth telling for work that was done wrong.

/** Largest absolute difference over the largest absolute value of the reference; infinite where that is undefined. */
export function relativeError(found: Float32Array, reference: Float32Array, scale = largest(reference)): number {
  if (found.length !== reference.length) return Number.POSITIVE_INFINITY;
  let worst = 0;
  for (let i = 0; i < found.length; i++) {
    const difference = Math.abs(found[i] - reference[i]);
    if (Number.isNaN(difference)) return Number.POSITIVE_INFINITY;
    worst = Math.max(worst, difference);
  }
  return worst === 0 ? 0 : worst / scale;
}

function largest(values: Float32Array): number {
  let most = 0;
  for (const v of values) most = Math.max(most, Math.abs(v));
  return most;
}

export interface Agreement {
  /** The result that differs most from the reference engine's, and by how much (relative). */
  readonly worst: string;
  readonly error: number;
  /** Of the loss alone, for a training step. */
  readonly loss?: number;
  readonly compared: number;
}

/**
 * Compares every result with the reference's. A convolution's bias has no gradient in exact arithmetic, for the
 * batch-norm behind it takes any constant out again: what is there is rounding, held against the same layer's kernel.
 */
export function compare(found: Map<string, Float32Array>, reference: Map<string, Float32Array>): Agreement {
  let worst = "";
  let error = -1;
  for (const [name, values] of reference) {
    const other = found.get(name);
    const kernel = name.endsWith("conv/bias") ? reference.get(name.replace("bias", "kernel")) : undefined;
    const scale = Math.max(largest(values), kernel ? largest(kernel) : 0);
    const here = other ? relativeError(other, values, scale) : Number.POSITIVE_INFINITY;
    if (here > error) [worst, error] = [name, here];
  }
  const loss = reference.get("loss");
  return {
    worst,
    error,
    ...(loss ? { loss: relativeError(found.get("loss") ?? new Float32Array(), loss) } : {}),
    compared: reference.size,
  };
}
