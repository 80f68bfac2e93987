// Random inputs for the tests, from a seed: the same numbers in Node, in a page and in Deno.

import { type NdArray, sizeOf } from "./reference/ndarray.ts";

/** Uniform in [0, 1): the mulberry32 generator. */
export function uniform(seed: number): () => number {
  let state = seed | 0;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), state | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** Normal values (Box and Muller), rounded to float32 so that reference and GPU start from the same numbers. */
export function normal(shape: readonly number[], seed: number, { mean = 0, deviation = 1 } = {}): NdArray {
  const random = uniform(seed);
  const value = () => {
    const radius = Math.sqrt(-2 * Math.log(1 - random()));
    return Math.fround(mean + deviation * radius * Math.cos(2 * Math.PI * random()));
  };
  return { shape, data: Float64Array.from({ length: sizeOf(shape) }, value) };
}

/** Each element 0 or 1. */
export function binary(shape: readonly number[], seed: number): NdArray {
  const random = uniform(seed);
  return { shape, data: Float64Array.from({ length: sizeOf(shape) }, () => (random() < 0.5 ? 0 : 1)) };
}
