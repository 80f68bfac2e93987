// Decoded pictures of one size: decoded a bounded number at a time, and kept in memory up to a bounded number of bytes, so
// that a second epoch decodes nothing that still fits.

import { TwingradError } from "../errors.ts";
import { checkOptions } from "../options.ts";
import type { Dataset, Item } from "./dataset.ts";
import type { ImageSize } from "./imageSize.ts";

/** Options of `DecodedImages`. */
export interface DecodedImagesOptions {
  /**
   * Bytes of decoded pictures that are kept; the least recently used go first; 0 keeps none.
   * @default 2 ** 30
   */
  maximumBytes?: number;
  /**
   * How many pictures are read and decoded at a time. Well above the decoder's threads: between reading and
   * decoding a picture waits for the thread that submits training steps, several times, and the decoder must not.
   * @default 32
   */
  concurrency?: number;
}

/**
 * The pictures of a dataset at one size, decoded when they are asked for and kept in a bounded cache.
 * @example
 * ```ts
 * const decoded = new DecodedImages(dataset, [56, 46, 1], { maximumBytes: 2 ** 28 });
 * const two = await decoded.stack([0, 1]); // Uint8Array [2, 56, 46, 1]
 * ```
 */
export class DecodedImages<I extends Item = Item> {
  /** Height x width x channels: the bytes of one picture. */
  readonly bytes: number;
  /** How many pictures were decoded, and how many were found in memory or already being decoded. */
  readonly counts = {
    /** Decoded anew. */
    decoded: 0 /** In memory, or already being decoded. */,
    found: 0,
  };
  readonly #kept = new Map<number, Uint8Array>();
  readonly #decoding = new Map<number, Promise<Uint8Array>>();
  readonly #waiting: (() => void)[] = [];
  readonly #capacity: number;
  readonly #concurrency: number;
  #running = 0;

  constructor(
    /** Whose pictures. */
    readonly dataset: Dataset<I>,
    /** Height, width, channels. */
    readonly size: ImageSize,
    options: DecodedImagesOptions = {},
  ) {
    checkOptions("DecodedImages", options, { maximumBytes: 1, concurrency: 1 });
    const { maximumBytes = 2 ** 30, concurrency = 32 } = options;
    if (!(maximumBytes >= 0) || !Number.isInteger(concurrency) || concurrency < 1) {
      throw new TwingradError(
        "BAD_INPUT",
        `decoded pictures take at least 0 bytes, not ${maximumBytes}, and at least 1 at a time is decoded, not ${concurrency}`,
      );
    }
    this.bytes = size[0] * size[1] * size[2];
    this.#capacity = Math.floor(maximumBytes / this.bytes);
    this.#concurrency = concurrency;
  }

  /** How many decoded pictures are kept. */
  get kept(): number {
    return this.#kept.size;
  }

  /** The pixels of a picture, not to be written to. One that is asked for while it is being decoded is decoded once. */
  get(index: number): Promise<Uint8Array> {
    const kept = this.#kept.get(index);
    if (kept) {
      this.counts.found++;
      this.#keep(index, kept);
      return Promise.resolve(kept);
    }
    const decoding = this.#decoding.get(index);
    if (decoding) {
      this.counts.found++;
      return decoding;
    }
    const begun = this.#decode(index).finally(() => this.#decoding.delete(index));
    this.#decoding.set(index, begun);
    return begun;
  }

  /** The pictures concatenated, [N, H, W, C]: in `into`, which has room for them, or in a new array. */
  async stack(
    indices: readonly number[],
    into: Uint8Array = new Uint8Array(indices.length * this.bytes),
  ): Promise<Uint8Array> {
    await Promise.all(indices.map(async (index, position) => into.set(await this.get(index), position * this.bytes)));
    return into;
  }

  async #decode(index: number): Promise<Uint8Array> {
    if (this.#running >= this.#concurrency) await new Promise<void>((turn) => this.#waiting.push(turn));
    else this.#running++;
    try {
      const item = this.dataset.items[index];
      this.counts.decoded++;
      const pixels = await item.decode(this.size);
      if (pixels.length !== this.bytes) {
        const [height, width, channels] = this.size;
        throw new TwingradError(
          "BAD_INPUT",
          `${item.name}: the decoder gave ${pixels.length} values where ${height}x${width}x${channels} were expected`,
        );
      }
      this.#keep(index, pixels);
      return pixels;
    } finally {
      const next = this.#waiting.shift();
      if (next) next();
      else this.#running--;
    }
  }

  #keep(index: number, pixels: Uint8Array): void {
    this.#kept.delete(index);
    this.#kept.set(index, pixels);
    if (this.#kept.size > this.#capacity) this.#kept.delete(this.#kept.keys().next().value!);
  }
}
