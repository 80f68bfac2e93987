// Within-class whitening (Hatch, Kajarekar and Stolcke 2006, "within-class covariance normalization"): directions in which
// pictures of one person differ say little about who it is, and count for less. With C the covariance of embeddings about
// their person's mean and C + s tr(C)/D I = L L^T,
//
//   y = L^-1 (x - mean),
//
// so that the Euclidean distance of two y is the Mahalanobis distance of the x; y is brought to unit length. It is fitted once,
// after training, to pictures that were trained on: the host's work, in float64.
import { TwingradError } from "../gpu/errors.ts";
import { float32, type Safetensors } from "../train/safetensors.ts";
import { withMetadata } from "../train/seal.ts";

export interface Whitening {
  /** Of all embeddings, [D]. */
  readonly mean: ArrayLike<number>;
  /** L^-1, [D, D] by rows, lower triangular. */
  readonly kernel: ArrayLike<number>;
}

/**
 * @param embeddings [N, D].
 * @param labels [N]: equal numbers are one person.
 * @param shrinkage s above: the share of the mean variance that is added to each direction. Small data want much of it.
 * @throws BAD_INPUT where no two pictures show one person, or all pictures of each have one embedding.
 */
export function fitWhitening(
  embeddings: ArrayLike<number>,
  labels: ArrayLike<number>,
  { length, shrinkage }: { readonly length: number; readonly shrinkage: number },
): Whitening {
  const count = labels.length;
  const mean = new Float64Array(length);
  const own = new Map<number, { sum: Float64Array; count: number }>();
  for (let n = 0; n < count; n++) {
    let person = own.get(labels[n]);
    if (!person) {
      person = { sum: new Float64Array(length), count: 0 };
      own.set(labels[n], person);
    }
    person.count++;
    for (let i = 0; i < length; i++) {
      person.sum[i] += embeddings[n * length + i];
      mean[i] += embeddings[n * length + i] / count;
    }
  }
  const covariance = new Float64Array(length * length);
  const difference = new Float64Array(length);
  for (let n = 0; n < count; n++) {
    const { sum, count: pictures } = own.get(labels[n])!;
    for (let i = 0; i < length; i++) difference[i] = embeddings[n * length + i] - sum[i] / pictures;
    for (let i = 0; i < length; i++) {
      for (let j = 0; j <= i; j++) covariance[i * length + j] += (difference[i] * difference[j]) / count;
    }
  }
  let trace = 0;
  for (let i = 0; i < length; i++) trace += covariance[i * length + i];
  if (!(trace > 0)) {
    throw new TwingradError(
      "BAD_INPUT",
      `whitening: ${count} pictures of ${own.size} people do not tell how pictures of one person differ`,
    );
  }
  for (let i = 0; i < length; i++) covariance[i * length + i] += (shrinkage * trace) / length;
  return { mean, kernel: invertLower(cholesky(covariance, length), length) };
}

/** Each row x of [N, D] as L^-1 (x - mean), brought to unit length. */
export function whiten({ mean, kernel }: Whitening, embeddings: Float32Array): Float32Array {
  const length = mean.length;
  const result = new Float32Array(embeddings.length);
  const row = new Float64Array(length);
  for (let first = 0; first < embeddings.length; first += length) {
    let squares = 0;
    for (let i = 0; i < length; i++) {
      let sum = 0;
      for (let j = 0; j <= i; j++) sum += kernel[i * length + j] * (embeddings[first + j] - mean[j]);
      row[i] = sum;
      squares += sum * sum;
    }
    const scale = squares > 0 ? 1 / Math.sqrt(squares) : 0;
    for (let i = 0; i < length; i++) result[first + i] = row[i] * scale;
  }
  return result;
}

const names = { mean: "whitening/mean", kernel: "whitening/kernel" };

/** The model file with this whitening in it, for whoever opens it. */
export function withWhitening(bytes: Uint8Array, { mean, kernel }: Whitening): Promise<Uint8Array> {
  const length = mean.length;
  const tensor = (shape: number[], data: ArrayLike<number>) => ({
    ...{ dtype: "F32" as const, shape, data: Float32Array.from(data) },
  });
  const tensors = new Map([
    [names.mean, tensor([length], mean)],
    [names.kernel, tensor([length, length], kernel)],
  ]);
  return withMetadata(bytes, {}, tensors);
}

/** A model file's whitening of embeddings of `length`, if it has one. @throws CORRUPT_FILE where it does not fit. */
export function whiteningOf(file: Safetensors, length: number): Whitening | undefined {
  if (![names.mean, names.kernel].some((name) => file.tensors.has(name))) return undefined;
  const [mean, kernel] = [float32(file, names.mean), float32(file, names.kernel)];
  if (
    mean.length === length &&
    kernel.length === length * length &&
    [mean, kernel].every((t) => t.every(Number.isFinite))
  )
    return { mean, kernel };
  throw new TwingradError(
    "CORRUPT_FILE",
    `the whitening has ${mean.length} and ${kernel.length} values; ${length} and ${length} x ${length} finite ones were expected`,
  );
}

/** L with L L^T = A, of the lower triangle of a positive definite A. */
function cholesky(a: Float64Array, length: number): Float64Array {
  const lower = new Float64Array(length * length);
  for (let i = 0; i < length; i++) {
    for (let j = 0; j <= i; j++) {
      let sum = a[i * length + j];
      for (let k = 0; k < j; k++) sum -= lower[i * length + k] * lower[j * length + k];
      lower[i * length + j] = i === j ? Math.sqrt(sum) : sum / lower[j * length + j];
    }
  }
  return lower;
}

/** By forward substitution, column by column. */
function invertLower(lower: Float64Array, length: number): Float64Array {
  const inverse = new Float64Array(length * length);
  for (let column = 0; column < length; column++) {
    for (let i = column; i < length; i++) {
      let sum = i === column ? 1 : 0;
      for (let k = column; k < i; k++) sum -= lower[i * length + k] * inverse[k * length + column];
      inverse[i * length + column] = sum / lower[i * length + i];
    }
  }
  return inverse;
}
