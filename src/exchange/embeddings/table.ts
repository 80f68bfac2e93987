// A table of embeddings, of our models or any others: a row of numbers for each picture, with its identity.
import type { Dataset } from "../../data/dataset.ts";
import { identityName } from "../../data/names.ts";
import { TwingradError } from "../../errors.ts";

/** Embeddings with the identities and names of their pictures. */
export interface EmbeddingTable {
  /** The length of a row. */
  readonly length: number;
  /** All rows, concatenated. */
  readonly values: Float32Array;
  /** The identity of each row. */
  readonly identities: readonly string[];
  /** The picture's name of each row; by default the identity and the row's number. */
  readonly names: readonly string[];
}

/** The identities and pictures of rows, from a file beside the numbers. */
export interface RowNames {
  /** One for each row. */
  readonly identities: readonly string[];
  /** One for each row. */
  readonly names?: readonly string[];
}

/**
 * Creates a table of embeddings.
 * @throws BAD_INPUT unless every row has a name and every number is finite.
 * @example
 * ```ts
 * import { tableOf } from "twingrad/exchange";
 *
 * const table = tableOf(2, Float32Array.of(0.6, 0.8, 1, 0), { identities: ["ada", "ben"] });
 * ```
 */
export function tableOf(length: number, values: Float32Array, { identities, names }: RowNames): EmbeddingTable {
  const rows = values.length / length;
  const refuse = (what: string): never => {
    throw new TwingradError("BAD_INPUT", `embeddings: ${what}.`);
  };
  if (!Number.isInteger(length) || length < 1) refuse(`rows of ${length} values; expected 1 or more`);
  if (!Number.isInteger(rows) || rows === 0)
    refuse(`${values.length} values are not a whole number of rows of ${length}`);
  if (identities.length !== rows) refuse(`${identities.length} identities for ${rows} rows`);
  if (names && names.length !== rows) refuse(`${names.length} names of pictures for ${rows} rows`);
  const lost = values.findIndex((value) => !Number.isFinite(value));
  if (lost >= 0)
    refuse(`value ${lost % length} of row ${Math.floor(lost / length)} is ${values[lost]}; expected finite numbers`);
  const people = identities.map(identityName);
  return { length, values, identities: people, names: names ?? people.map((name, row) => `${name} (row ${row})`) };
}

/**
 * The rows as a dataset, for protocols that draw pairs and trials from one. Its items have no pixels: `decode` rejects.
 * @example
 * ```ts
 * import { datasetOf, tableOf } from "twingrad/exchange";
 *
 * const labels = labelsOf(datasetOf(tableOf(2, Float32Array.of(0.6, 0.8, 1, 0), { identities: ["ada", "ben"] })));
 * ```
 */
export function datasetOf({ identities, names }: EmbeddingTable): Dataset {
  const people = [...new Set(identities)];
  const positions = new Map(people.map((name, position) => [name, position]));
  const items = identities.map((identity, row) => ({
    identity: positions.get(identity)!,
    name: names[row],
    decode: () =>
      Promise.reject(new TwingradError("BAD_INPUT", `${names[row]}: there is an embedding, but no picture.`)),
  }));
  return { identities: people, items };
}
