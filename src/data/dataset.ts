// A collection of labeled pictures, as the rest of the library sees it: the identity of each picture, and how to decode
// it. Whoever creates a dataset decides where the pictures come from: a folder, records, a generator.
import type { ImageSize } from "./imageSize.ts";
import { checkLabels } from "./labels.ts";
import type { StoredPicture } from "./pictures/storedPicture.ts";

/** One picture of a dataset: who is on it, and how to decode it. */
export interface Item {
  /** Index into `Dataset.identities`. */
  readonly identity: number;
  /** The picture's name in error messages: a path, or a record's file and number. */
  readonly name: string;
  /** The recording session or another property shared by several pictures, where known: see `grouped`. */
  readonly group?: string;
  /** The picture as uint8, row by row, channels last: height * width * channels values. Errors name the picture. */
  decode(size: ImageSize): Promise<Uint8Array>;
  /** The picture as stored, undecoded; absent where a program draws its pictures. Errors name the picture. */
  stored?(): Promise<StoredPicture>;
}

/** Labeled pictures: `items[i].identity` is an index into `identities`. */
export interface Dataset<I extends Item = Item> {
  /** The names of the identities. */
  readonly identities: readonly string[];
  /** The pictures, undecoded. */
  readonly items: readonly I[];
}

/**
 * The identity of each picture.
 * @returns An array of N, for each picture the index of its identity.
 * @example
 * ```ts
 * const pairs = balancedPairs(labelsOf(dataset), { seed: 1 });
 * ```
 */
export function labelsOf(dataset: Dataset): Int32Array {
  return Int32Array.from(dataset.items, (item) => item.identity);
}

/** For each identity the indices of its pictures; `labels` holds integers from 0. */
export function indicesByIdentity(labels: ArrayLike<number>): number[][] {
  checkLabels(labels, 0);
  const groups: number[][] = [];
  for (let index = 0; index < labels.length; index++) {
    while (groups.length <= labels[index]) groups.push([]);
    groups[labels[index]].push(index);
  }
  return groups;
}

/**
 * Each identity's group: the folder above its own, `Korean` of `Korean/character01` (Omniglot's alphabet); "" where
 * there is none. `groups` holds for each identity the index of its group's name.
 * @returns `names`: the groups' names; `groups`: for each identity the index of its group's name.
 * @example
 * ```ts
 * identityGroups({ identities: ["Korean/character01", "Greek/character01"], items: [] }).names; // ["Korean", "Greek"]
 * ```
 */
export function identityGroups({ identities }: Dataset): { names: string[]; groups: Int32Array } {
  const parents = identities.map((identity) => identity.slice(0, Math.max(0, identity.lastIndexOf("/"))));
  const names = [...new Set(parents)];
  return { names, groups: Int32Array.from(parents, (parent) => names.indexOf(parent)) };
}

/** The pictures of some identities; the identities are renumbered from 0 in the given order. */
export function subset<I extends Item>(dataset: Dataset<I>, identities: readonly number[]): Dataset<I> {
  const renumbered = new Map(identities.map((identity, position) => [identity, position]));
  return {
    identities: identities.map((identity) => dataset.identities[identity]),
    items: dataset.items.flatMap((item) => {
      const identity = renumbered.get(item.identity);
      return identity === undefined ? [] : [changed(item, { identity })];
    }),
  };
}

/**
 * A copy of the item with these properties changed. Its methods call those of the original, which may depend on `this`.
 */
export function changed<I extends Item>(item: I, properties: Partial<Item>): I {
  const { identity, name, stored } = item;
  const methods = { decode: (size: ImageSize) => item.decode(size), stored: stored && (() => stored.call(item)) };
  return { ...item, identity, name, ...methods, ...properties };
}
