// All elements once, shuffled through a buffer of bounded size, as tf.data's shuffle does.
import type { Random } from "../random.ts";
import { broken, isCount } from "./sampler.ts";

/** The position within a shuffled sequence, as plain JSON. */
export interface PassState {
  /** The elements in the shuffle buffer, in its order. */
  readonly buffer: readonly number[];
  /** The next element to enter the buffer. */
  readonly entered: number;
  /** `position` of the random stream. */
  readonly random: number;
}

/** 0..count-1 through a shuffle buffer: a random element leaves, and the next element of the input takes its place. */
export class ShuffledPass {
  readonly #count: number;
  readonly #random: Random;
  readonly #buffer: Int32Array;
  #held: number;
  #entered: number;

  /** @param state where to continue; absent: at the start. @throws CORRUPT_FILE for an invalid state. */
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

  /** How many elements are left. */
  get remaining(): number {
    return this.#held + this.#count - this.#entered;
  }

  /** The next element; call only while some remain. */
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
    throw broken(`a sequence of ${count} elements is at position ${JSON.stringify(entered)}`);
  if (!isCount(random) || random > 2 ** 34) throw broken(`a random stream is at ${JSON.stringify(random)}`);
  if (!Array.isArray(buffer) || buffer.length > capacity || (entered < count && buffer.length < capacity)) {
    throw broken(`a shuffle buffer of ${capacity} has the wrong length`);
  }
  const seen = new Set(buffer);
  if (seen.size !== buffer.length || !buffer.every((element) => isCount(element) && element < entered)) {
    throw broken("a shuffle buffer holds invalid elements");
  }
}
