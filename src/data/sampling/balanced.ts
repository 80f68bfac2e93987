// Samplers that draw identities first and pictures second, so that identities with many pictures do not dominate. Each
// example has its own random stream, so its number is the sampler's whole state.
import { TwingradError } from "../../errors.ts";
import { checkOptions } from "../../options.ts";
import { Random, streams } from "../random.ts";
import type { Pair } from "./filteredPairs.ts";
import { picturesOfEach, Sampler } from "./sampler.ts";

/** Indices of three pictures: anchor and positive show one identity, the negative another. */
export interface Triplet {
  /** A picture, by index. */
  anchor: number;
  /** Another picture of the anchor's identity. */
  positive: number;
  /** A picture of another identity. */
  negative: number;
  /** From 0. */
  epoch: number;
}

/**
 * Indices of a whole batch: `picturesPerIdentity` pictures of each of `identitiesPerBatch` identities, concatenated.
 */
export interface ClassExample {
  /** By index, those of one identity after the other. */
  pictures: number[];
  /** From 0. */
  epoch: number;
}

/** Pictures by identity, and the identities with several pictures. Rejects data that `what` cannot be drawn from. */
function grouped(labels: ArrayLike<number>, what: string) {
  const groups = picturesOfEach(labels);
  const several = groups.filter((group) => group.length > 1);
  if (groups.length < 2) {
    throw new TwingradError("BAD_INPUT", `${what} need at least 2 identities; there are ${groups.length}.`);
  }
  if (several.length === 0) {
    throw new TwingradError("BAD_INPUT", `${what} need an identity with at least 2 pictures; each has one.`);
  }
  return { groups, several };
}

const one = <T>(group: readonly T[], random: Random) => group[random.integer(group.length)];
const two = <T>(group: readonly T[], random: Random) =>
  random.distinct(2, group.length).map((place) => group[place]) as [T, T];

/** An endless sequence of independent examples. */
class Independent<T> extends Sampler<T> {
  readonly #stream: number;
  readonly #example: (random: Random, number: number) => T;

  constructor(
    kind: string,
    labels: ArrayLike<number>,
    options: Readonly<Record<string, number>> & { seed: number },
    stream: number,
    example: (random: Random, number: number) => T,
  ) {
    super(kind, labels, options);
    this.#stream = stream;
    this.#example = example;
  }

  protected draw(number: number): T {
    return this.#example(new Random(this.seed, this.#stream, number), number);
  }
}

/**
 * Genuine and impostor pairs equally often, uniform over identities and then over their pictures; a picture is never
 * paired with itself. An epoch has as many pairs as there are pictures.
 * @throws BAD_INPUT at once when there are fewer than two identities, or none with two pictures.
 * @example
 * ```ts
 * const pairs = balancedPairs(labelsOf(dataset), { seed: 1 });
 * const stream = batches(new DecodedImages(dataset, [56, 46, 1]), pairs, { batchSize: 8 });
 * ```
 */
export function balancedPairs(labels: ArrayLike<number>, options: { seed: number }): Sampler<Pair> {
  checkOptions("balancedPairs", options, { seed: 1 });
  const { seed } = options;
  const { groups, several } = grouped(labels, "balanced pairs");
  return new Independent("balanced pairs", labels, { seed }, streams.balanced, (random, number) => {
    const epoch = Math.floor(number / labels.length);
    const [left, right] =
      random.uniform() < 0.5
        ? two(one(several, random), random)
        : two(groups, random).map((group) => one(group, random));
    return { left, right, epoch };
  });
}

/**
 * Triplets: the anchor's identity uniform over those with several pictures, the negative's over all others, pictures
 * uniform within an identity, anchor and positive never the same picture. An epoch is as many triplets as there are
 * pictures.
 * @throws BAD_INPUT at once when there are fewer than two identities, or none with two pictures.
 * @example
 * ```ts
 * const stream = tripletBatches(new DecodedImages(dataset, [56, 46, 1]), triplets(labelsOf(dataset), { seed: 1 }), { batchSize: 8 });
 * ```
 */
export function triplets(labels: ArrayLike<number>, options: { seed: number }): Sampler<Triplet> {
  checkOptions("triplets", options, { seed: 1 });
  const { seed } = options;
  const { groups, several } = grouped(labels, "triplets");
  return new Independent("triplets", labels, { seed }, streams.triplets, (random, number) => {
    const own = one(several, random);
    const [anchor, positive] = two(own, random);
    const [first, second] = two(groups, random);
    // Of two distinct identities in random order, the first that is not the anchor's is uniform over all others.
    const negative = one(first === own ? second : first, random);
    return { anchor, positive, negative, epoch: Math.floor(number / labels.length) };
  });
}

/** Options of `perClass`. */
export interface PerClassOptions {
  /** Seed of the random draws. */
  seed: number;
  /** Identities in a batch, P: at least 2. */
  identitiesPerBatch: number;
  /** Pictures of each identity, K: at least 2. */
  picturesPerIdentity: number;
}

/**
 * P x K batches for losses that compare all pictures of a batch, like pytorch-metric-learning's `MPerClassSampler`: P
 * different identities, uniform over those with several pictures, and K different pictures of each. An identity with n
 * < K pictures gives each of them floor(K / n) times, or once more. One example is one batch, of P * K pictures; an
 * epoch has as many pictures as the dataset.
 * @throws BAD_INPUT at once when fewer than P identities have two pictures.
 * @example
 * ```ts
 * const sampler = perClass(labelsOf(dataset), { identitiesPerBatch: 16, picturesPerIdentity: 4, seed: 1 });
 * const stream = classBatches(new DecodedImages(dataset, [56, 46, 1]), sampler);
 * ```
 */
export function perClass(labels: ArrayLike<number>, options: PerClassOptions): Sampler<ClassExample> {
  checkOptions("perClass", options, { seed: 1, identitiesPerBatch: 1, picturesPerIdentity: 1 });
  const { seed, identitiesPerBatch, picturesPerIdentity } = options;
  for (const [name, value] of Object.entries({ identitiesPerBatch, picturesPerIdentity })) {
    if (!Number.isInteger(value) || value < 2) {
      throw new TwingradError("BAD_INPUT", `Invalid ${name} ${value}: expected an integer of at least 2.`);
    }
  }
  const { several } = grouped(labels, "batches of some pictures of each identity");
  if (several.length < identitiesPerBatch) {
    throw new TwingradError(
      "BAD_INPUT",
      `Batches of ${identitiesPerBatch} identities with ${picturesPerIdentity} pictures each need ${identitiesPerBatch} identities with at least 2 pictures; there are ${several.length}.`,
    );
  }
  const pictures = identitiesPerBatch * picturesPerIdentity;
  const stored = { seed, classes: identitiesPerBatch, perClass: picturesPerIdentity }; // the names in saved checkpoints
  return new Independent("class batches", labels, stored, streams.classes, (random, number) => ({
    pictures: random
      .distinct(identitiesPerBatch, several.length)
      .flatMap((place) => some(several[place], picturesPerIdentity, random)),
    epoch: Math.floor((number * pictures) / labels.length),
  }));
}

/** `count` of the group's pictures, each as often as the others or once more. */
function some(group: readonly number[], count: number, random: Random): number[] {
  const rounds = Math.floor(count / group.length);
  const rest = random.distinct(count % group.length, group.length).map((place) => group[place]);
  return [...Array.from({ length: rounds }, () => group).flat(), ...rest];
}
