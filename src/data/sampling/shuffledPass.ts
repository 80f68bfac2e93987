// One pass over the data in an order that a shuffle buffer of bounded size makes, as tf.data's shuffle does.
import type { Random } from "../random.ts";
import { broken, isCount } from "./sampler.ts";

/** Where a pass stands, as plain JSON. */
export interface PassState {
  /** The elements in the shuffle buffer, in its order. */
  readonly buffer: readonly number[];
  /** The first element that has not entered the buffer. */
  readonly entered: number;
  /** `position` of the random stream. */
  readonly random: number;
}

/** 0..count-1 through a shuffle buffer: a random element leaves, the next one of the input takes its place. */
export class ShuffledPass {
  readonly #count: number;
  readonly #random: Random;
  readonly #buffer: Int32Array;
  #held: number;
  #entered: number;

  /** @param state where to go on instead of at the start; @throws CORRUPT_FILE for a state that no such pass can have. */
  constructor(count: number, bufferSize: number, random: Random, state?: PassState) {
    this.#count = count;
    this.#random = random;
    const capacity = Math.min(count, bufferSize);
    if (state) {
      checkState(state, count, capacity);
      this.#buffer = new Int32Array(capacity);
      this.#buffer.set(state.buffer);
      this.#held = state.buffer.length;
      this.#entered = state.entered;
      random.position = state.random;
    } else {
      this.#buffer = Int32Array.from({ length: capacity }, (_, index) => index);
      this.#held = this.#entered = capacity;
    }
  }

  /** How many elements are still to come. */
  get remaining(): number {
    return this.#held + this.#count - this.#entered;
  }

  /** The next element; only while some remain. */
  next(): number {
    const place = this.#random.integer(this.#held);
    const chosen = this.#buffer[place];
    this.#buffer[place] = this.#entered < this.#count ? this.#entered++ : this.#buffer[--this.#held];
    return chosen;
  }

  state(): PassState {
    return {
      buffer: Array.from(this.#buffer.subarray(0, this.#held)),
      entered: this.#entered,
      random: this.#random.position,
    };
  }
}

function checkState({ buffer, entered, random }: PassState, count: number, capacity: number): void {
  if (!isCount(entered) || entered < capacity || entered > count)
    throw broken(`a pass over ${count} is at ${JSON.stringify(entered)}`);
  if (!isCount(random) || random > 2 ** 34) throw broken(`a random stream is at ${JSON.stringify(random)}`);
  if (!Array.isArray(buffer) || buffer.length > capacity || (entered < count && buffer.length < capacity)) {
    throw broken(`a shuffle buffer of ${capacity} does not hold what it should`);
  }
  const seen = new Set(buffer);
  if (seen.size !== buffer.length || !buffer.every((element) => isCount(element) && element < entered)) {
    throw broken("a shuffle buffer holds what cannot be in it");
  }
}
