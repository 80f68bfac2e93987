// From the samplers' picture indices to batches of pixels. Decoding runs ahead of the consumer by a bounded number of
// batches; the stream's state covers only the batches handed out, whatever is already decoded.
import { TwingradError } from "../errors.ts";
import { checkOptions, type Known } from "../options.ts";
import {
  type Batch,
  branches,
  type ClassBatch,
  type LivenessBatch,
  type PairBatch,
  type TripletBatch,
} from "./batch.ts";
import type { DecodedImages } from "./decodedImages.ts";
import { Prefetch } from "./prefetch.ts";
import { Random, streams } from "./random.ts";
import type { ClassExample, Triplet } from "./sampling/balanced.ts";
import type { Pair } from "./sampling/filteredPairs.ts";
import type { Sampler, SamplerState } from "./sampling/sampler.ts";
import type { LivenessItem, Single } from "./sources/livenessDataset.ts";

/** What every batch of the streams below has besides the fields of its kind. */
interface Decoded {
  /** The array that the batch's pictures are views of: see `PairBatch`. */
  readonly stacked: Uint8Array;
  /** The epoch of the batch's last example. */
  readonly epoch: number;
}

/** A batch of a stream: seeds are always present. */
type Loaded<B extends Batch> = Required<Omit<B, "stacked">> & Decoded;

/** A batch of pairs as `batches` gives it. */
export type LoadedPairs = Loaded<PairBatch<Uint8Array, Int32Array, Uint32Array>>;
/** A batch of triplets as `tripletBatches` gives it. */
export type LoadedTriplets = Loaded<TripletBatch<Uint8Array, Uint32Array>>;
/** A batch of single pictures as `livenessBatches` gives it. */
export type LoadedLiveness = Loaded<LivenessBatch<Uint8Array, Uint8Array, Uint32Array>>;
/** P x K pictures, grouped by identity: B = P * K. */
export type LoadedClasses = Loaded<ClassBatch<Uint8Array, Int32Array, Uint32Array>>;

/**
 * Steps are submitted several at a time: a run takes its first batches in quick succession, and again after every
 * pause. The prefetched batches must cover that, and one slow picture as well.
 */
export const defaultPrefetch = 8;

/** How far a stream decodes ahead. */
export interface LoadingOptions {
  /** How many batches are decoded ahead of the one in use. @default 8 */
  prefetch?: number;
  /**
   * For distributed training: this rank's part of a batch `size` times as large, the batch of a single process. The
   * rank decodes only its part. All ranks must use the same seed.
   */
  share?: Share;
}

/** The part of a batch that one rank decodes. */
export interface Share {
  /** From 0 to size - 1. */
  readonly rank: number;
  /** The number of ranks. */
  readonly size: number;
}

/** Options of the batch streams. */
export interface BatchOptions extends LoadingOptions {
  /** Examples in a batch. */
  batchSize: number;
}

const batchOptions: Known<BatchOptions> = { prefetch: 1, batchSize: 1, share: 1 };

/**
 * An endless stream of batches, decoded ahead in the sampler's order. Memory holds at most the batch handed out last,
 * `prefetch` more, the one being awaited, and what the cache of `DecodedImages` keeps.
 */
export interface BatchStream<B> extends AsyncIterableIterator<B, never> {
  /** The next batch; it never ends. */
  next(): Promise<{ done: false; value: B }>;
  /** Begins to decode the first `prefetch` batches while the consumer is busy. */
  begin(): void;
  /** The state after the batches handed out so far; restoring it yields the next batch again. */
  state(): SamplerState;
  /** Returns to a saved state and drops prefetched batches. Throws what `Sampler.restore` throws. */
  restore(state: SamplerState): void;
}

/**
 * Batches of pairs. If a picture cannot be decoded, `next` rejects with its name; the next call retries the batch.
 * @example
 * ```ts
 * const pairs = balancedPairs(labelsOf(dataset), { seed: 1 });
 * for await (const batch of batches(new DecodedImages(dataset, [56, 46, 1]), pairs, { batchSize: 8 })) {
 *   const { loss, step } = await trainer.step(batch);
 *   if (step === 600) break;
 * }
 * ```
 */
export function batches(images: DecodedImages, pairs: Sampler<Pair>, options: BatchOptions): BatchStream<LoadedPairs> {
  checkOptions("batches", options, batchOptions);
  return new Loader([images], pairs, options, options.batchSize, {
    pictures: (chosen) => branches.pairs.map((side) => chosen.map((pair) => pair[side])),
    fields: ([left, right]) => ({
      left: left.pictures,
      right: right.pictures,
      leftLabels: left.labels,
      rightLabels: right.labels,
      leftSeeds: left.seeds,
      rightSeeds: right.seeds,
    }),
  });
}

/**
 * Batches of triplets, as `batches` of pairs.
 * @example
 * ```ts
 * const stream = tripletBatches(new DecodedImages(dataset, [56, 46, 1]), triplets(labels, { seed: 1 }), { batchSize: 8 });
 * ```
 */
export function tripletBatches(
  images: DecodedImages,
  triplets: Sampler<Triplet>,
  options: BatchOptions,
): BatchStream<LoadedTriplets> {
  checkOptions("tripletBatches", options, batchOptions);
  return new Loader([images], triplets, options, options.batchSize, {
    pictures: (chosen) => branches.triplets.map((role) => chosen.map((triplet) => triplet[role])),
    fields: ([anchor, positive, negative]) => ({
      anchor: anchor.pictures,
      positive: positive.pictures,
      negative: negative.pictures,
      anchorSeeds: anchor.seeds,
      positiveSeeds: positive.seeds,
      negativeSeeds: negative.seeds,
    }),
  });
}

/**
 * The batches that `perClass` draws; with `together`, this many of them concatenated. `images` may be several decoders
 * of the same pictures, for example one for each tower: they decode the concatenated batches in turn, in equal parts.
 * @example
 * ```ts
 * const sampler = perClass(labels, { identitiesPerBatch: 16, picturesPerIdentity: 4, seed: 1 });
 * const { value } = await classBatches(new DecodedImages(dataset, [56, 46, 1]), sampler).next();
 * ```
 */
export function classBatches(
  images: DecodedImages | readonly DecodedImages[],
  classes: Sampler<ClassExample>,
  options: LoadingOptions & { readonly together?: number } = {},
): BatchStream<LoadedClasses> {
  checkOptions("classBatches", options, { prefetch: 1, together: 1, share: 1 });
  const { together = 1 } = options;
  const sources = [images].flat();
  if (together % sources.length !== 0) {
    const what = `Invalid \`together\` ${together}: expected a multiple of ${sources.length}, the number of decoders.`;
    throw new TwingradError("BAD_INPUT", what);
  }
  return new Loader(sources, classes, options, together, {
    pictures: (chosen) => [chosen.flatMap(({ pictures }) => pictures)],
    fields: ([{ pictures, labels, seeds }]) => ({ images: pictures, labels, seeds }),
  });
}

/**
 * Batches of single pictures. The sampler and `images` must have the same dataset.
 * @example
 * ```ts
 * const decoded = new DecodedImages(livenessDataset, [112, 112, 3]);
 * const stream = livenessBatches(decoded, balancedLiveness(livenessDataset, { seed: 1 }), { batchSize: 32 });
 * ```
 */
export function livenessBatches(
  images: DecodedImages<LivenessItem>,
  pictures: Sampler<Single>,
  options: BatchOptions,
): BatchStream<LoadedLiveness> {
  checkOptions("livenessBatches", options, batchOptions);
  const { items } = images.dataset;
  return new Loader([images], pictures, options, options.batchSize, {
    pictures: (chosen) => [chosen.map(({ picture }) => picture)],
    fields: ([{ indices, pictures, seeds }]) => ({
      images: pictures,
      live: Uint8Array.from(indices, (index) => Number(items[index].live)),
      seeds,
    }),
  });
}

/** The loaded data of one branch (left, anchor, ...). */
interface Part {
  readonly indices: readonly number[];
  readonly pictures: Uint8Array;
  readonly labels: Int32Array;
  readonly seeds: Uint32Array;
}

/** How examples become the fields of a batch. */
interface Kind<T, F> {
  /** For each branch, the picture indices of these examples. */
  pictures(chosen: readonly T[]): readonly (readonly number[])[];
  fields(parts: readonly Part[]): F;
}

class Loader<T extends { readonly epoch: number }, F> implements BatchStream<F & Decoded> {
  readonly #images: readonly DecodedImages[];
  readonly #sampler: Sampler<T>;
  readonly #examples: number;
  readonly #share: Share;
  readonly #kind: Kind<T, F>;
  readonly #prefetch: Prefetch<{ batch: F & Decoded; after: SamplerState }>;
  #state: SamplerState;
  /** Calls of `next` run one after another: a failed call rewinds the stream before the next one starts. */
  #turn: Promise<unknown> = Promise.resolve();

  /** @param examples the number of examples in a batch. */
  constructor(
    images: readonly DecodedImages[],
    sampler: Sampler<T>,
    { prefetch = defaultPrefetch, share = { rank: 0, size: 1 } }: LoadingOptions,
    examples: number,
    kind: Kind<T, F>,
  ) {
    if (!Number.isInteger(examples) || examples < 1) {
      throw new TwingradError("BAD_INPUT", `Invalid batch size ${examples}: expected an integer of at least 1.`);
    }
    if (!Number.isInteger(prefetch) || prefetch < 0) {
      throw new TwingradError("BAD_INPUT", `Invalid \`prefetch\` ${prefetch}: expected an integer of at least 0.`);
    }
    const { rank, size } = share;
    if (!(Number.isInteger(rank) && Number.isInteger(size) && rank >= 0 && rank < size)) {
      throw new TwingradError("BAD_INPUT", `share is rank ${rank} of ${size}; expected whole numbers, rank below size`);
    }
    this.#images = images;
    this.#sampler = sampler;
    this.#examples = examples;
    this.#share = share;
    this.#kind = kind;
    this.#prefetch = new Prefetch(() => this.#begin(), prefetch);
    this.#state = sampler.state();
  }

  next(): Promise<{ done: false; value: F & Decoded }> {
    const result = this.#turn.then(() => this.#take());
    this.#turn = result.catch(() => undefined);
    return result;
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  begin(): void {
    this.#prefetch.begin();
  }

  state(): SamplerState {
    return this.#state;
  }

  restore(state: SamplerState): void {
    this.#sampler.restore(state);
    this.#prefetch.drop();
    this.#state = this.#sampler.state();
  }

  async #take(): Promise<{ done: false; value: F & Decoded }> {
    try {
      const { batch, after } = await this.#prefetch.take();
      this.#state = after;
      return { done: false, value: batch };
    } catch (error) {
      this.restore(this.#state);
      throw error;
    }
  }

  async #begin(): Promise<{ batch: F & Decoded; after: SamplerState }> {
    const { rank, size } = this.#share;
    const skipped = rank * this.#examples;
    const first = this.#sampler.drawn + skipped;
    const all = Array.from({ length: size * this.#examples }, () => this.#sampler.next().value);
    const after = this.#sampler.state();
    const chosen = all.slice(skipped, skipped + this.#examples);
    const { stacked, parts } = await this.#load(this.#kind.pictures(chosen), first);
    const { epoch } = all[all.length - 1]; // of all ranks' examples: they end together
    return { batch: { ...this.#kind.fields(parts), stacked, epoch }, after };
  }

  /**
   * Decodes every picture into its place in one array; the branches' pictures are views of it. That array is uploaded
   * without a copy. Each batch has a new one, which is not written to again, as `stacked` requires.
   */
  async #load(
    byBranch: readonly (readonly number[])[],
    first: number,
  ): Promise<{ stacked: Uint8Array; parts: Part[] }> {
    const [{ bytes, dataset }] = this.#images;
    const stacked = new Uint8Array(byBranch.flat().length * bytes);
    const parts = byBranch.map((indices, branch) => {
      const length = indices.length * bytes; // the same for each branch
      // Pictures are numbered through the whole stream: by example, then by branch.
      const before = first * byBranch.length * (indices.length / this.#examples);
      return {
        indices,
        pictures: stacked.subarray(branch * length, (branch + 1) * length),
        labels: Int32Array.from(indices, (index) => dataset.items[index].identity),
        seeds: Uint32Array.from(indices, (_, place) => {
          const number = before + place * byBranch.length + branch;
          return new Random(this.#sampler.seed, streams.augmentation, number).uint32();
        }),
      };
    });
    const sources = this.#images.length;
    const decoding = parts.flatMap(({ indices, pictures }) => {
      const [count, size] = [indices.length / sources, pictures.length / sources]; // of each source's equal part
      return this.#images.map((source, n) =>
        source.stack(indices.slice(n * count, (n + 1) * count), pictures.subarray(n * size, (n + 1) * size)),
      );
    });
    await Promise.all(decoding);
    return { stacked, parts };
  }
}
