// Localized centering (Hara et al. 2015, "Localized Centering") subtracts from an embedding the mean of the most
// similar embeddings of training pictures. The rest distinguishes an identity from similar ones (beards, spectacles,
// hats); without it, a face that resembles many is near to all of them. c(x) is the mean of the k unit embeddings of a
// cohort with the largest x . c:
//
//   y = x - share c(x), normalized to unit length.
//
// Computed on the host in float64.
import { TwingradError } from "../errors.ts";
import { float32, type Safetensors } from "../formats/safetensors.ts";
import { withMetadata } from "../formats/seal.ts";

/**
 * Embeddings of training identities, the cohort, whose mean share is subtracted from an embedding before distances are
 * taken.
 */
export interface Centering {
  /** How much of the mean is subtracted, from 0 to 1. */
  readonly share: number;
  /** Unit embeddings of training pictures, [M, L]. */
  readonly cohort: Float32Array;
  /** L. */
  readonly length: number;
}

/** The share of the cohort that is averaged: large enough that no single identity dominates. */
export const nearestShare = 0.3;

/** Applies it to each row of [N, L]. */
export function center({ share, cohort, length }: Centering, embeddings: Float32Array): Float32Array {
  const members = cohort.length / length;
  const count = Math.ceil(nearestShare * members);
  const result = new Float32Array(embeddings.length);
  for (let first = 0; first < embeddings.length; first += length) {
    const x = embeddings.subarray(first, first + length);
    const similarity = Float64Array.from({ length: members }, (_, member) => {
      let sum = 0;
      for (let i = 0, at = member * length; i < length; i++, at++) sum += x[i] * cohort[at];
      return sum;
    });
    const order = Array.from(similarity.keys()).sort((a, b) => similarity[b] - similarity[a] || a - b);
    const y = Float64Array.from(x);
    for (const member of order.slice(0, count)) {
      for (let i = 0, at = member * length; i < length; i++, at++) y[i] -= (share / count) * cohort[at];
    }
    const norm = Math.sqrt(y.reduce((sum, value) => sum + value * value, 0));
    result.set(norm > 0 ? y.map((value) => value / norm) : y, first);
  }
  return result;
}

const names = { share: "centring/share", cohort: "centring/cohort" };

/**
 * Stores this centering in a model file, so that the opened model applies it.
 * @param bytes - the bytes of a model file.
 * @returns The bytes of the new model file.
 * @example
 * ```ts
 * const embeddings = await embedAll(model, dataset);
 * const centered = await withCentering(bytes, { share: 0.9, cohort: embeddings, length: model.embedding });
 * ```
 */
export function withCentering(bytes: Uint8Array, { share, cohort, length }: Centering): Promise<Uint8Array> {
  const tensors = {
    [names.share]: { shape: [1], data: Float32Array.of(share) },
    [names.cohort]: { shape: [cohort.length / length, length], data: cohort },
  };
  return withMetadata(bytes, {}, tensors);
}

/**
 * A model file's centering for embeddings of this length, if it has one.
 * @throws CORRUPT_FILE where it does not match.
 */
export function centeringOf(file: Safetensors, length: number): Centering | undefined {
  if (!Object.values(names).some((name) => file.tensors.has(name))) return undefined;
  const [share, cohort] = [float32(file, names.share), float32(file, names.cohort)];
  const fits = share.length === 1 && cohort.length > 0 && cohort.length % length === 0;
  if (fits && [share, cohort].every((values) => values.every(Number.isFinite))) {
    return { share: share[0], cohort, length };
  }
  throw new TwingradError(
    "CORRUPT_FILE",
    `Invalid centering: its share has ${share.length} values and its cohort ${cohort.length}; expected 1 and rows of ${length} finite values.`,
  );
}
