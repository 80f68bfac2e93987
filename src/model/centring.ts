// Localised centring (Hara et al. 2015, "Localized Centering"): an embedding less the mean of those of the trained people who are
// most like it. What is left is what tells a person from others of that kind (beards, spectacles, hats); without it, whoever
// looks like many is near to everybody. With c(x) the mean of the k unit embeddings of a cohort with the largest x . c,
//
//   y = x - share c(x), brought to unit length.
//
// The host's work, in float64.
import { TwingradError } from "../errors.ts";
import { float32, type Safetensors } from "../formats/safetensors.ts";
import { withMetadata } from "../formats/seal.ts";

/**
 * Embeddings of training identities, the cohort, whose mean share is subtracted from an embedding before distances are taken.
 */
export interface Centring {
  /** How much of the mean is subtracted, from 0 to 1. */
  readonly share: number;
  /** Unit embeddings of pictures that were trained on, [M, L]. */
  readonly cohort: Float32Array;
  /** L. */
  readonly length: number;
}

/** Of the cohort, those whose mean is taken: enough that no person among them counts alone. */
export const nearestShare = 0.3;

/** Each row x of [N, L] as y. */
export function centre({ share, cohort, length }: Centring, embeddings: Float32Array): Float32Array {
  const members = cohort.length / length;
  const count = Math.ceil(nearestShare * members);
  const result = new Float32Array(embeddings.length);
  for (let first = 0; first < embeddings.length; first += length) {
    const x = embeddings.subarray(first, first + length);
    const likeness = Float64Array.from({ length: members }, (_, member) => {
      let sum = 0;
      for (let i = 0, at = member * length; i < length; i++, at++) sum += x[i] * cohort[at];
      return sum;
    });
    const order = Array.from(likeness.keys()).sort((a, b) => likeness[b] - likeness[a] || a - b);
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
 * The model file with this centring in it, for whoever opens it.
 * @param bytes - of a model file.
 * @returns The bytes of the new model file.
 * @example
 * ```ts
 * const embeddings = await embedAll(model, dataset);
 * const centred = await withCentring(bytes, { share: 0.9, cohort: embeddings, length: model.embedding });
 * ```
 */
export function withCentring(bytes: Uint8Array, { share, cohort, length }: Centring): Promise<Uint8Array> {
  const tensors = {
    [names.share]: { shape: [1], data: Float32Array.of(share) },
    [names.cohort]: { shape: [cohort.length / length, length], data: cohort },
  };
  return withMetadata(bytes, {}, tensors);
}

/** A model file's centring of embeddings of this length, if it has one. @throws CORRUPT_FILE where it does not fit. */
export function centringOf(file: Safetensors, length: number): Centring | undefined {
  if (!Object.values(names).some((name) => file.tensors.has(name))) return undefined;
  const [share, cohort] = [float32(file, names.share), float32(file, names.cohort)];
  const fits = share.length === 1 && cohort.length > 0 && cohort.length % length === 0;
  if (fits && [share, cohort].every((values) => values.every(Number.isFinite))) {
    return { share: share[0], cohort, length };
  }
  throw new TwingradError(
    "CORRUPT_FILE",
    `the centring has a share of ${share.length} values and a cohort of ${cohort.length}; 1 and rows of ${length} finite ones were expected`,
  );
}
