// Initial values of parameters, from a counter-based generator: element i depends on (seed, name, i) alone, so the same
// seed gives the same network, whatever the order of declaration.
import { sizeOf } from "./tensor.ts";

export interface InitialOptions {
  /**
   * `glorot-uniform`: U(-l, l), l = sqrt(6 / (fan in + fan out)) (Glorot and Bengio 2010; the fans of filters include
   * the receptive field). Or a number for all elements, or the values themselves.
   */
  readonly initial: "glorot-uniform" | number | Float32Array;
  /** Seed of the generator; it is combined with the parameter's name, so that one seed serves a whole network. */
  readonly seed?: number;
}

/** Two rounds of the 32-bit finalizer of MurmurHash3 over a counter. */
export function hash32(seed: number, counter: number): number {
  let h = (seed ^ Math.imul(counter + 0x9e3779b9, 0x85ebca6b)) >>> 0;
  for (let round = 0; round < 2; round++) {
    h = Math.imul(h ^ (h >>> 16), 0x85ebca6b);
    h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
    h = (h ^ (h >>> 16)) >>> 0;
  }
  return h;
}

/** FNV-1a hash of a name: the number of its random stream. */
export function hashName(name: string): number {
  let h = 0x811c9dc5;
  for (const character of name) h = Math.imul(h ^ character.codePointAt(0)!, 0x01000193) >>> 0;
  return h;
}

export function initialValues(name: string, shape: readonly number[], options: InitialOptions): Float32Array {
  const { initial, seed = 0 } = options;
  const size = sizeOf(shape);
  if (typeof initial === "number") return new Float32Array(size).fill(initial);
  if (initial instanceof Float32Array) return initial.slice();
  const receptiveField = sizeOf(shape.slice(0, -2));
  const [fanIn, fanOut] = shape.length > 1 ? shape.slice(-2) : [shape[0], shape[0]];
  const limit = Math.sqrt(6 / (receptiveField * (fanIn + fanOut)));
  const stream = hash32(seed, hashName(name));
  const uniform = (i: number) => (hash32(stream, i) + 0.5) / 2 ** 32;
  const values = new Float32Array(size);
  for (let i = 0; i < size; i++) values[i] = (2 * uniform(i) - 1) * limit; // a plain loop, for the article's seven million values
  return values;
}
