// Decodes pictures to one size with bounded concurrency, and caches them up to a bounded number of bytes, so that a
// second epoch decodes nothing that still fits.
import { TwingradError } from "../errors.ts";
import { checkOptions } from "../options.ts";
import type { Dataset, Item } from "./dataset.ts";
import type { ImageSize } from "./imageSize.ts";

/** Options of `DecodedImages`. */
export interface DecodedImagesOptions {
  /** Bytes of decoded pictures to cache; the least recently used are evicted first; 0 caches nothing. @default 1 GiB */
  maximumBytes?: number;
  /**
   * How many pictures are read and decoded at a time. Well above the number of decoder threads: between reading and
   * decoding, a picture waits several times for the thread that submits training steps, and the decoder must not idle.
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
  /** How many pictures were decoded, and how many were already cached or being decoded. */
  readonly counts = {
    /** Pictures decoded. */
    decoded: 0,
    /** Pictures that were cached or already being decoded. */
    found: 0,
  };
  readonly #kept = new Map<number, Uint8Array>();
  readonly #decoding = new Map<number, Promise<Uint8Array>>();
  readonly #waiting: (() => void)[] = [];
  readonly #capacity: number;
  readonly #concurrency: number;
  #running = 0;

  constructor(
    /** The dataset of the pictures. */
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
        `Invalid decoding options: expected maximumBytes of at least 0, got ${maximumBytes}, and an integer concurrency of at least 1, got ${concurrency}.`,
      );
    }
    this.bytes = size[0] * size[1] * size[2];
    this.#capacity = Math.floor(maximumBytes / this.bytes);
    this.#concurrency = concurrency;
  }

  /** The number of cached pictures. */
  get kept(): number {
    return this.#kept.size;
  }

  /** The pixels of a picture; do not write to them. Concurrent requests for one picture share its decoding. */
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

  /** The pictures concatenated, [N, H, W, C]: written to `into`, which must have room for them, or to a new array. */
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
          `${item.name}: the decoder returned ${pixels.length} values; expected ${height} x ${width} x ${channels}.`,
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
