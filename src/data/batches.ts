// From pairs of indices to stacks of pixels: decoding runs ahead of the consumer, by a bounded number of batches.
import { TwingradError } from "../gpu/errors.ts";
import { augment } from "./augment.ts";
import type { Dataset, ImageSize } from "./dataset.ts";
import type { Pair } from "./pairs.ts";
import { Random, streams } from "./random.ts";

export interface Batch {
  /** [B, H, W, C], uint8. */
  left: Uint8Array;
  right: Uint8Array;
  /** [B]: equal labels mean the same identity. */
  leftLabels: Int32Array;
  rightLabels: Int32Array;
  /** The epoch of the batch's last pair. */
  epoch: number;
}

/**
 * Decoded pictures of one size, kept in memory up to `maximumBytes`; the least recently used goes first. Pictures
 * asked for while they are being decoded are decoded once.
 */
export class DecodedImages {
  readonly #kept = new Map<number, Promise<Uint8Array>>();
  readonly #capacity: number;

  constructor(
    readonly dataset: Dataset,
    readonly size: ImageSize,
    { maximumBytes = 2 ** 30 }: { maximumBytes?: number } = {},
  ) {
    this.#capacity = Math.floor(maximumBytes / (size[0] * size[1] * size[2]));
  }

  get(index: number): Promise<Uint8Array> {
    let pixels = this.#kept.get(index);
    if (pixels) this.#kept.delete(index);
    else {
      pixels = this.dataset.items[index].decode(this.size);
      pixels.catch(() => this.#kept.delete(index));
    }
    this.#kept.set(index, pixels);
    if (this.#kept.size > this.#capacity) this.#kept.delete(this.#kept.keys().next().value!);
    return pixels;
  }

  /** The pictures behind one another: [N, H, W, C]. */
  async stack(indices: readonly number[]): Promise<Uint8Array> {
    return concatenate(await Promise.all(indices.map((index) => this.get(index))), this.size);
  }
}

function concatenate(pictures: readonly Uint8Array[], [height, width, channels]: ImageSize): Uint8Array {
  const length = height * width * channels;
  const stacked = new Uint8Array(pictures.length * length);
  pictures.forEach((pixels, position) => {
    if (pixels.length !== length) {
      throw new TwingradError(
        "BAD_INPUT",
        `a picture has ${pixels.length} values where ${height}x${width}x${channels} were expected`,
      );
    }
    stacked.set(pixels, position * length);
  });
  return stacked;
}

export interface BatchOptions {
  batchSize: number;
  /** How many batches are decoded ahead of the one in use. */
  prefetch?: number;
  /** Change each picture a little, differently each time it comes; the same seed gives the same changes. */
  augmentation?: { seed: number };
  /** How many batches to pass over without decoding them: where a resumed run goes on. */
  skip?: number;
}

/** Batches without end, in the order of the pairs. Ends with the first picture that cannot be decoded. */
export function batches(images: DecodedImages, pairs: Generator<Pair, never>, options: BatchOptions) {
  const { batchSize, prefetch = 2, augmentation, skip = 0 } = options;
  const { items } = images.dataset;
  let drawn = 0;
  const drawPairs = () => Array.from({ length: batchSize }, () => pairs.next().value);
  for (; drawn < skip; drawn++) drawPairs();

  async function side(indices: number[], first: number): Promise<Uint8Array> {
    const pictures = await Promise.all(indices.map((index) => images.get(index)));
    if (!augmentation) return concatenate(pictures, images.size);
    const changed = pictures.map((pixels, position) =>
      augment(pixels, images.size, new Random(augmentation.seed, streams.augmentation, first + position)),
    );
    return concatenate(changed, images.size);
  }

  async function decode(chosen: Pair[], ordinal: number): Promise<Batch> {
    const lefts = chosen.map((pair) => pair.left);
    const rights = chosen.map((pair) => pair.right);
    const first = 2 * ordinal * batchSize;
    const [left, right] = await Promise.all([side(lefts, first), side(rights, first + batchSize)]);
    const leftLabels = Int32Array.from(lefts, (index) => items[index].identity);
    const rightLabels = Int32Array.from(rights, (index) => items[index].identity);
    return { left, right, leftLabels, rightLabels, epoch: chosen[chosen.length - 1].epoch };
  }

  return ahead(() => decode(drawPairs(), drawn++), prefetch);
}

/** Calls `next` up to `count` calls ahead of the consumer and yields the results in order. */
export async function* ahead<T>(next: () => Promise<T>, count: number): AsyncGenerator<T, never> {
  const waiting: Promise<T>[] = [];
  for (;;) {
    while (waiting.length <= count) {
      const result = next();
      // A failure is reported when its turn comes; until then it is not an unhandled one.
      result.catch(() => undefined);
      waiting.push(result);
    }
    yield await waiting.shift()!;
  }
}
