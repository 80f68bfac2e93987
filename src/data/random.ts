// Seeded, counter-based random numbers: draw n of a stream is a pure function of (seed, stream, index, n), so that a
// resumed run, another runtime or another order of draws yields the same numbers. Philox4x32-10: J. Salmon et al.,
// "Parallel random numbers: as easy as 1, 2, 3", SC 2011.
import { TwingradError } from "../errors.ts";

/** One stream for each use of randomness: no two uses share a stream of one seed. */
export const streams = {
  split: 1,
  leftPass: 2,
  rightPass: 3,
  filter: 4,
  balanced: 5,
  augmentation: 6,
  evaluation: 7,
  trials: 8,
  folds: 9,
  initial: 10,
  person: 11,
  appearance: 12,
  noise: 13,
  triplets: 14,
  classes: 15,
  pictureChanges: 16,
  pixelNoise: 17,
  erasedPixels: 18,
  records: 20,
  liveness: 21,
  recapture: 22,
  bootstrap: 24,
  openSet: 25,
} as const;

const M0 = 0xd2511f53;
const M1 = 0xcd9e8d57;
const W0 = 0x9e3779b9;
const W1 = 0xbb67ae85;

/** Ten rounds of Philox on `counter` (4 words, overwritten with the result) under the key. */
export function philox(counter: Uint32Array, key0: number, key1: number): void {
  let a = counter[0];
  let b = counter[1];
  let c = counter[2];
  let d = counter[3];
  let k0 = key0 >>> 0;
  let k1 = key1 >>> 0;
  for (let round = 0; round < 10; round++) {
    const low0 = Math.imul(M0, a);
    const low1 = Math.imul(M1, c);
    const high0 = multiplyHigh(M0, a);
    a = (multiplyHigh(M1, c) ^ b ^ k0) >>> 0;
    b = low1 >>> 0;
    c = (high0 ^ d ^ k1) >>> 0;
    d = low0 >>> 0;
    k0 = (k0 + W0) >>> 0;
    k1 = (k1 + W1) >>> 0;
  }
  counter[0] = a;
  counter[1] = b;
  counter[2] = c;
  counter[3] = d;
}

/**
 * High 32 bits of the unsigned product: the constant is split in 16-bit halves; every partial sum is exact below 2^53.
 */
function multiplyHigh(m: number, x: number): number {
  const low = Math.floor(((m & 0xffff) * x) / 2 ** 16);
  return Math.floor(((m >>> 16) * x + low) / 2 ** 16);
}

/** A sequence of random numbers. `seed` and `index` are integers in [0, 2^53); `stream` is one of `streams`. */
export class Random {
  readonly #key: [number, number];
  readonly #index: [number, number];
  readonly #stream: number;
  readonly #words = new Uint32Array(4);
  #block = 0;
  #used = 4;

  constructor(seed: number, stream: number, index = 0) {
    for (const [name, value] of Object.entries({ seed, stream, index })) {
      if (!Number.isSafeInteger(value) || value < 0) {
        throw new TwingradError("BAD_INPUT", `Random: ${name} must be an integer from 0 to 2^53 - 1, not ${value}`);
      }
    }
    this.#key = [seed >>> 0, Math.floor(seed / 2 ** 32)];
    this.#index = [index >>> 0, Math.floor(index / 2 ** 32)];
    this.#stream = stream;
  }

  /** An integer in [0, 2^32). */
  uint32(): number {
    if (this.#used === 4) this.#refill();
    return this.#words[this.#used++];
  }

  /**
   * The number of 32-bit words drawn, an integer in [0, 2^34]; with seed, stream and index it is the whole state.
   * Setting it seeks to that place in the sequence.
   */
  get position(): number {
    return this.#block * 4 - (4 - this.#used);
  }

  set position(words: number) {
    if (!Number.isInteger(words) || words < 0 || words > 2 ** 34) {
      throw new RangeError(`Random: position must be an integer from 0 to 2^34, not ${words}`);
    }
    this.#block = Math.floor(words / 4);
    this.#used = 4;
    if (words % 4 === 0) return;
    this.#refill();
    this.#used = words % 4;
  }

  #refill(): void {
    this.#words[0] = this.#block++;
    this.#words[1] = this.#index[0];
    this.#words[2] = this.#index[1];
    this.#words[3] = this.#stream;
    philox(this.#words, this.#key[0], this.#key[1]);
    this.#used = 0;
  }

  /** A number in [0, 1) with 53 random bits. */
  uniform(): number {
    const high = this.uint32() >>> 5;
    const low = this.uint32() >>> 6;
    return (high * 2 ** 26 + low) / 2 ** 53;
  }

  /** An integer in [0, n), each equally likely; 1 <= n <= 2^32. */
  integer(n: number): number {
    let value = this.uint32();
    // Rejects only the last, incomplete run of n values, which would bias the result; most draws pass this first test.
    if (value >= 2 ** 32 - n) {
      const limit = 2 ** 32 - (2 ** 32 % n);
      while (value >= limit) value = this.uint32();
    }
    return value % n;
  }

  /** `count` distinct integers in [0, n), 0 <= count <= n: a uniformly random selection in random order. */
  distinct(count: number, n: number): number[] {
    // R. Floyd's algorithm draws the set ("Programming pearls", CACM 1987) without listing all n.
    const chosen = new Set<number>();
    for (let last = n - count; last < n; last++) {
      const candidate = this.integer(last + 1);
      chosen.add(chosen.has(candidate) ? last : candidate);
    }
    return this.shuffle([...chosen]);
  }

  /** Shuffles the array in place (Fisher and Yates) and returns it. */
  shuffle<T>(values: T[]): T[] {
    for (let last = values.length - 1; last > 0; last--) {
      const other = this.integer(last + 1);
      [values[last], values[other]] = [values[other], values[last]];
    }
    return values;
  }
}
