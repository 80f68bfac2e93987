// From the pictures that a sampler chose to stacks of pixels: decoding runs ahead of the consumer, by a bounded number of
// batches, and the stream's state is that of the batches handed out, whatever has been decoded ahead.
import { TwingradError } from "../errors.ts";
import type { DecodedImages } from "./decodedImages.ts";
import { Prefetch } from "./prefetch.ts";
import { Random, streams } from "./random.ts";
import type { ClassExample, Triplet } from "./sampling/balanced.ts";
import type { Pair } from "./sampling/filteredPairs.ts";
import type { Sampler, SamplerState } from "./sampling/sampler.ts";
import type { LivenessItem, Single } from "./sources/livenessDataset.ts";

/** Pairs, decoded. Pictures are uint8 [B, H, W, C], labels and seeds [B]. */
export interface LoadedPairs {
  left: Uint8Array;
  right: Uint8Array;
  /** Equal labels mean the same identity. */
  leftLabels: Int32Array;
  rightLabels: Int32Array;
  /** For each picture a number that depends on the sampler's seed and the picture's place in the stream alone. */
  leftSeeds: Uint32Array;
  rightSeeds: Uint32Array;
  /** The epoch of the batch's last pair. */
  epoch: number;
}

/** Triplets, decoded: as `LoadedPairs`. */
export interface LoadedTriplets {
  anchor: Uint8Array;
  positive: Uint8Array;
  negative: Uint8Array;
  anchorSeeds: Uint32Array;
  positiveSeeds: Uint32Array;
  negativeSeeds: Uint32Array;
  epoch: number;
}

/** Single pictures, decoded: those of live people (1) and of pictures of people (0). */
export interface LoadedLiveness {
  images: Uint8Array;
  live: Uint8Array;
  seeds: Uint32Array;
  epoch: number;
}

/** P x K pictures, decoded: those of one identity behind one another, B = P * K. */
export interface LoadedClasses {
  images: Uint8Array;
  labels: Int32Array;
  seeds: Uint32Array;
  epoch: number;
}

/**
 * Steps are given to the device several at a time, so a run asks for its first batches one right behind the other, and
 * again after every pause; what is decoded ahead must outlast that, and one slow picture besides.
 */
export const defaultPrefetch = 8;

export interface LoadingOptions {
  /** How many batches are decoded ahead of the one in use; 8 by default. */
  prefetch?: number;
}

export interface BatchOptions extends LoadingOptions {
  batchSize: number;
}

/**
 * Batches without end, decoded ahead in the sampler's order. In memory are at most the batch handed out last, `prefetch`
 * more and the one being waited for, and what the cache of `DecodedImages` may keep.
 */
export interface BatchStream<B> extends AsyncIterableIterator<B, never> {
  next(): Promise<{ done: false; value: B }>;
  /** Begins to decode the first batches, `prefetch` of them, while the consumer has something else to do. */
  begin(): void;
  /** The state after the batches handed out so far: restoring it hands out the next one again. */
  state(): SamplerState;
  /** Goes to a saved state; batches that were decoded ahead are dropped. Throws what `Sampler.restore` throws. */
  restore(state: SamplerState): void;
}

/** Batches of pairs. Where a picture cannot be decoded `next` rejects, naming it; called again it tries again. */
export function batches(images: DecodedImages, pairs: Sampler<Pair>, options: BatchOptions): BatchStream<LoadedPairs> {
  return new Loader([images], pairs, options, options.batchSize, async (chosen, load) => {
    const [left, right] = await load([chosen.map((pair) => pair.left), chosen.map((pair) => pair.right)]);
    return {
      left: left.pixels,
      right: right.pixels,
      leftLabels: left.labels,
      rightLabels: right.labels,
      leftSeeds: left.seeds,
      rightSeeds: right.seeds,
      epoch: lastEpoch(chosen),
    };
  });
}

/** Batches of triplets, as `batches` of pairs. */
export function tripletBatches(
  images: DecodedImages,
  triplets: Sampler<Triplet>,
  options: BatchOptions,
): BatchStream<LoadedTriplets> {
  return new Loader([images], triplets, options, options.batchSize, async (chosen, load) => {
    const [anchor, positive, negative] = await load([
      chosen.map((triplet) => triplet.anchor),
      chosen.map((triplet) => triplet.positive),
      chosen.map((triplet) => triplet.negative),
    ]);
    return {
      anchor: anchor.pixels,
      positive: positive.pixels,
      negative: negative.pixels,
      anchorSeeds: anchor.seeds,
      positiveSeeds: positive.seeds,
      negativeSeeds: negative.seeds,
      epoch: lastEpoch(chosen),
    };
  });
}

/**
 * Batches as `perClass` draws them, or so many of them `together`, behind one another. Of several `images`, which are the same
 * pictures decoded in different ways, each takes its part of those together in turn.
 */
export function classBatches(
  images: DecodedImages | readonly DecodedImages[],
  classes: Sampler<ClassExample>,
  { together = 1, ...options }: LoadingOptions & { readonly together?: number } = {},
): BatchStream<LoadedClasses> {
  const sources = [images].flat();
  if (together % sources.length !== 0) {
    const what = `${sources.length} ways to decode pictures take a multiple of as many batches together, not ${together}`;
    throw new TwingradError("BAD_INPUT", what);
  }
  return new Loader(sources, classes, options, together, async (chosen, load) => {
    const [{ pixels, labels, seeds }] = await load([chosen.flatMap(({ pictures }) => pictures)]);
    return { images: pixels, labels, seeds, epoch: lastEpoch(chosen) };
  });
}

/** Batches of single pictures of the sampler's dataset, which is that of `images`. */
export function livenessBatches(
  images: DecodedImages<LivenessItem>,
  pictures: Sampler<Single>,
  options: BatchOptions,
): BatchStream<LoadedLiveness> {
  const { items } = images.dataset;
  return new Loader([images], pictures, options, options.batchSize, async (chosen, load) => {
    const indices = chosen.map(({ picture }) => picture);
    const [{ pixels, seeds }] = await load([indices]);
    const live = Uint8Array.from(indices, (index) => Number(items[index].live));
    return { images: pixels, live, seeds, epoch: lastEpoch(chosen) };
  });
}

const lastEpoch = (chosen: readonly { epoch: number }[]) => chosen[chosen.length - 1].epoch;

/** The pictures of one role (left, anchor, ...) behind one another, who is on them, and their seeds. */
interface Stack {
  pixels: Uint8Array;
  labels: Int32Array;
  seeds: Uint32Array;
}

/** Makes a batch of the examples that were drawn for it; `load` decodes one stack for each list of indices. */
type Assemble<T, B> = (
  chosen: readonly T[],
  load: (roles: readonly (readonly number[])[]) => Promise<Stack[]>,
) => Promise<B>;

class Loader<T, B> implements BatchStream<B> {
  readonly #images: readonly DecodedImages[];
  readonly #sampler: Sampler<T>;
  readonly #examples: number;
  readonly #assemble: Assemble<T, B>;
  readonly #prefetch: Prefetch<{ batch: B; after: SamplerState }>;
  #state: SamplerState;
  /** Calls of `next` take their turns: a failed one goes back, and the one after it must see that. */
  #turn: Promise<unknown> = Promise.resolve();

  /** @param examples how many examples make a batch. */
  constructor(
    images: readonly DecodedImages[],
    sampler: Sampler<T>,
    { prefetch = defaultPrefetch }: LoadingOptions,
    examples: number,
    assemble: Assemble<T, B>,
  ) {
    if (!Number.isInteger(examples) || examples < 1) {
      throw new TwingradError("BAD_INPUT", `a batch holds a whole number of examples, at least 1, not ${examples}`);
    }
    if (!Number.isInteger(prefetch) || prefetch < 0) {
      throw new TwingradError("BAD_INPUT", `prefetch is a whole number of batches, at least 0, not ${prefetch}`);
    }
    this.#images = images;
    this.#sampler = sampler;
    this.#examples = examples;
    this.#assemble = assemble;
    this.#prefetch = new Prefetch(() => this.#begin(), prefetch);
    this.#state = sampler.state();
  }

  next(): Promise<{ done: false; value: B }> {
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

  async #take(): Promise<{ done: false; value: B }> {
    try {
      const { batch, after } = await this.#prefetch.take();
      this.#state = after;
      return { done: false, value: batch };
    } catch (error) {
      this.restore(this.#state);
      throw error;
    }
  }

  async #begin(): Promise<{ batch: B; after: SamplerState }> {
    const first = this.#sampler.drawn;
    const chosen = Array.from({ length: this.#examples }, () => this.#sampler.next().value);
    const after = this.#sampler.state();
    const batch = await this.#assemble(chosen, (roles) =>
      Promise.all(roles.map((indices, role) => this.#stack(indices, first, role, roles.length))),
    );
    return { batch, after };
  }

  async #stack(indices: readonly number[], first: number, role: number, roles: number): Promise<Stack> {
    const { items } = this.#images[0].dataset;
    // Pictures are numbered through the whole stream: example by example, and within one role by role.
    const before = first * roles * (indices.length / this.#examples);
    const seeds = Uint32Array.from(indices, (_, place) => {
      return new Random(this.#sampler.seed, streams.augmentation, before + place * roles + role).uint32();
    });
    return {
      pixels: await this.#pixels(indices),
      labels: Int32Array.from(indices, (index) => items[index].identity),
      seeds,
    };
  }
  /** An equal part of the pictures as each of the sources decodes them. */
  async #pixels(indices: readonly number[]): Promise<Uint8Array> {
    const [first, ...others] = this.#images;
    if (others.length === 0) return first.stack(indices);
    const part = indices.length / this.#images.length;
    const whole = new Uint8Array(indices.length * first.bytes);
    const load = async (source: DecodedImages, n: number) => {
      whole.set(await source.stack(indices.slice(n * part, (n + 1) * part)), n * part * first.bytes);
    };
    await Promise.all(this.#images.map(load));
    return whole;
  }
}
