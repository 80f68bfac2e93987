// Within-class whitening (Hatch, Kajarekar and Stolcke 2006, "within-class covariance normalization") scales down the
// directions where pictures of the same identity differ, since they say little about the identity. C is the covariance
// of embeddings about the mean of their identity; with C + s tr(C)/D I = L L^T,
//
//   y = L^-1 (x - mean),
//
// so that the Euclidean distance of two y is the Mahalanobis distance of the x; y is normalized to unit length. Each
// tower's part of an embedding is whitened separately: a joint covariance would have more parameters than the pictures
// can determine. It is fitted once, after training, to training pictures, on the host in float64.
import { checkLabels } from "../data/labels.ts";
import { TwingradError } from "../errors.ts";
import { float32, type Safetensors } from "../formats/safetensors.ts";
import { withMetadata } from "../formats/seal.ts";
import { checkOptions } from "../options.ts";

/** T towers, each with D values of an embedding. */
export interface Towers {
  /** T. */
  readonly towers: number;
  /** D. */
  readonly length: number;
}

/** An affine map of each tower's embeddings after which the differences within identities have unit covariance. */
export interface Whitening extends Towers {
  /** Mean of all embeddings, [T, D]. */
  readonly mean: ArrayLike<number>;
  /** L^-1, [T, D, D]: rows of lower triangles. */
  readonly kernel: ArrayLike<number>;
}

/**
 * Fits a whitening to embeddings of training pictures.
 * @param embeddings [N, T, D].
 * @param labels [N]: equal numbers for the same identity.
 * @param options.shrinkage s above: the share of the mean variance that is added to each direction; small data sets
 * need more.
 * @throws BAD_INPUT if no identity has two pictures, or the embeddings do not vary within any identity.
 * @example
 * ```ts
 * const whitening = fitWhitening(embeddings, labels, { towers: 1, length: 128, shrinkage: 0.3 });
 * const whitened = await withWhitening(bytes, whitening);
 * ```
 */
export function fitWhitening(
  embeddings: ArrayLike<number>,
  labels: ArrayLike<number>,
  options: Towers & { readonly shrinkage: number },
): Whitening {
  checkOptions("fitWhitening", options, { towers: 1, length: 1, shrinkage: "finite number" });
  const { towers, length, shrinkage } = options;
  checkLabels(labels);
  const mean = new Float64Array(towers * length);
  const kernel = new Float64Array(towers * length * length);
  for (let tower = 0; tower < towers; tower++) {
    const rows = Array.from({ length: labels.length }, (_, n) => {
      const first = (n * towers + tower) * length;
      return Float64Array.from({ length }, (_, i) => embeddings[first + i]);
    });
    mean.set(meanOf(rows, length), tower * length);
    const covariance = covarianceWithin(rows, labels, length);
    let trace = 0;
    for (let i = 0; i < length; i++) trace += covariance[i * length + i];
    if (!(trace > 0)) {
      const people = new Set(Array.from(labels)).size;
      throw new TwingradError(
        "BAD_INPUT",
        `whitening: ${labels.length} pictures of ${people} identities show no variation within an identity; expected at least two different pictures of one`,
      );
    }
    for (let i = 0; i < length; i++) covariance[i * length + i] += (shrinkage * trace) / length;
    kernel.set(invertLower(cholesky(covariance, length), length), tower * length * length);
  }
  return { towers, length, mean, kernel };
}

function meanOf(rows: readonly Float64Array[], length: number): Float64Array {
  const mean = new Float64Array(length);
  for (const row of rows) for (let i = 0; i < length; i++) mean[i] += row[i] / rows.length;
  return mean;
}

/** The lower triangle of the within-class covariance. */
function covarianceWithin(rows: readonly Float64Array[], labels: ArrayLike<number>, length: number): Float64Array {
  const people = new Map<number, Float64Array[]>();
  for (const [n, row] of rows.entries()) people.set(labels[n], [...(people.get(labels[n]) ?? []), row]);
  const covariance = new Float64Array(length * length);
  for (const own of people.values()) {
    const mean = meanOf(own, length);
    for (const row of own) {
      const difference = row.map((value, i) => value - mean[i]);
      for (let i = 0; i < length; i++) {
        for (let j = 0; j <= i; j++) covariance[i * length + j] += (difference[i] * difference[j]) / rows.length;
      }
    }
  }
  return covariance;
}

/**
 * Each row [T, D]: each tower's part x becomes L^-1 (x - mean), scaled to length 1 / sqrt(T), so that the row has unit
 * length.
 */
export function whiten({ towers, length, mean, kernel }: Whitening, embeddings: Float32Array): Float32Array {
  const result = new Float32Array(embeddings.length);
  const y = new Float64Array(length);
  for (let part = 0; part * length < embeddings.length; part++) {
    const [tower, first] = [part % towers, part * length];
    let squares = 0;
    for (let i = 0; i < length; i++) {
      const row = (tower * length + i) * length;
      let sum = 0;
      for (let j = 0; j <= i; j++) sum += kernel[row + j] * (embeddings[first + j] - mean[tower * length + j]);
      y[i] = sum;
      squares += sum * sum;
    }
    const scale = squares > 0 ? 1 / Math.sqrt(squares * towers) : 0;
    for (let i = 0; i < length; i++) result[first + i] = y[i] * scale;
  }
  return result;
}

const names = { mean: "whitening/mean", kernel: "whitening/kernel" };

/**
 * Stores this whitening in a model file, so that the opened model applies it.
 * @param bytes - the bytes of a model file.
 * @returns The bytes of the new model file.
 * @example
 * ```ts
 * const whitened = await withWhitening(bytes, fitWhitening(embeddings, labels, { towers: 1, length: 128, shrinkage: 0.3 }));
 * ```
 */
export function withWhitening(bytes: Uint8Array, whitening: Whitening): Promise<Uint8Array> {
  const { towers, length, mean, kernel } = whitening;
  const tensors = {
    [names.mean]: { shape: [towers, length], data: Float32Array.from(mean) },
    [names.kernel]: { shape: [towers, length, length], data: Float32Array.from(kernel) },
  };
  return withMetadata(bytes, {}, tensors);
}

/** A model file's whitening for embeddings [T, D], if it has one. @throws CORRUPT_FILE where it does not match. */
export function whiteningOf(file: Safetensors, { towers, length }: Towers): Whitening | undefined {
  if (![names.mean, names.kernel].some((name) => file.tensors.has(name))) return undefined;
  const [mean, kernel] = [float32(file, names.mean), float32(file, names.kernel)];
  const sizes = [towers * length, towers * length * length];
  const fits = mean.length === sizes[0] && kernel.length === sizes[1];
  if (fits && [mean, kernel].every((values) => values.every(Number.isFinite))) return { towers, length, mean, kernel };
  throw new TwingradError(
    "CORRUPT_FILE",
    `Invalid whitening: it has ${mean.length} and ${kernel.length} values; expected ${sizes[0]} and ${sizes[1]} finite ones.`,
  );
}

/** L with L L^T = A, given the lower triangle of a positive definite A. */
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
