// What decides which pictures are seen next: an endless sequence whose whole state can be taken and put back, so that a
// resumed run sees what the interrupted one would have seen. It knows labels alone and decodes nothing.

import { TwingradError } from "../../errors.ts";
import { checkLabels } from "../labels.ts";

/**
 * Everything that decides what a sampler draws next, as plain JSON: `restore(JSON.parse(JSON.stringify(state())))` goes
 * on exactly there. `made` tells what the sampler was made with; another kind of sampler refuses the state.
 */
export interface SamplerState {
  /** Which sampler it is of. */
  readonly kind: string;
  /** Seed, fingerprint of the labels, and the sampler's options. */
  readonly made: Readonly<Record<string, number>>;
  /** How many examples were drawn. */
  readonly drawn: number;
  /** Where the random streams and shuffle buffers stand; absent where `drawn` says it all. */
  readonly position?: unknown;
}

/** An endless iterator over examples: pairs, triplets, or whole batches of some pictures of some identities. */
export abstract class Sampler<T> implements IterableIterator<T, never> {
  /** Of its random draws. */
  readonly seed: number;
  readonly #kind: string;
  readonly #made: Readonly<Record<string, number>>;
  #drawn = 0;

  protected constructor(
    kind: string,
    labels: ArrayLike<number>,
    options: Readonly<Record<string, number>> & { seed: number },
  ) {
    if (!Number.isSafeInteger(options.seed))
      throw new TwingradError("BAD_INPUT", `${kind}: seed is ${options.seed}; expected a whole number.`);
    this.seed = options.seed;
    this.#kind = kind;
    this.#made = { ...options, pictures: labels.length, labels: fingerprint(labels) };
  }

  /** How many examples were drawn: the number, from 0, of the one that comes next. */
  get drawn(): number {
    return this.#drawn;
  }

  /** The next example; it never ends. */
  next(): { done: false; value: T } {
    const value = this.draw(this.#drawn);
    this.#drawn++;
    return { done: false, value };
  }

  /** The sampler itself. */
  [Symbol.iterator](): this {
    return this;
  }

  /** Where it stands: what `restore` takes. */
  state(): SamplerState {
    const position = this.position();
    const state = { kind: this.#kind, made: this.#made, drawn: this.#drawn };
    return position === undefined ? state : { ...state, position };
  }

  /**
   * Goes to where a sampler stood that was made alike.
   * @throws CHECKPOINT_MISMATCH for the state of one that was made differently, CORRUPT_FILE for what is no state;
   * the sampler is then as it was.
   */
  restore(state: SamplerState): void {
    const { kind, made, drawn, position } = state ?? {};
    if (typeof kind !== "string" || typeof made !== "object" || made === null)
      throw broken("it has no kind or options");
    if (kind !== this.#kind) {
      throw new TwingradError(
        "CHECKPOINT_MISMATCH",
        `the saved stream is of ${shown(kind)}; this one is of ${this.#kind}`,
      );
    }
    for (const [name, value] of Object.entries(this.#made)) {
      if (made[name] === value) continue;
      const what =
        name === "labels" ? "the pictures' labels have changed" : `${name} was ${shown(made[name])}, not ${value}`;
      throw new TwingradError("CHECKPOINT_MISMATCH", `the saved stream of ${shown(kind)} does not go on here: ${what}`);
    }
    if (!isCount(drawn)) throw broken(`"drawn" is ${JSON.stringify(drawn)}`);
    this.moveTo(position, drawn);
    this.#drawn = drawn;
  }

  /** The example of this number, counted from 0; called for one number after the other. */
  protected abstract draw(number: number): T;

  /** What `restore` needs beside the number of examples drawn. */
  protected position(): unknown {
    return undefined;
  }

  /** Takes what `position` gave, of any type: a checkpoint may be broken. Throws `broken(...)` and changes nothing then. */
  protected moveTo(_position: unknown, _drawn: number): void {}
}

export function broken(reason: string): TwingradError {
  return new TwingradError("CORRUPT_FILE", `the saved state of the data stream is broken: ${reason}`);
}

export const isCount = (value: unknown): value is number => Number.isSafeInteger(value) && (value as number) >= 0;

/** FNV-1a over the labels' 32-bit words: notices that pictures came, went or changed places. */
function fingerprint(labels: ArrayLike<number>): number {
  let hash = 0x811c9dc5;
  for (let index = 0; index < labels.length; index++) {
    for (let shift = 0; shift < 32; shift += 8) hash = Math.imul(hash ^ ((labels[index] >>> shift) & 0xff), 0x01000193);
  }
  return hash >>> 0;
}

/** For each label that occurs the indices of its pictures. @throws BAD_INPUT for a label that is no integer. */
export function picturesOfEach(labels: ArrayLike<number>): number[][] {
  checkLabels(labels);
  const groups = new Map<number, number[]>();
  for (let index = 0; index < labels.length; index++) {
    const label = labels[index];
    const group = groups.get(label);
    if (group) group.push(index);
    else groups.set(label, [index]);
  }
  return [...groups.values()];
}

/** A value of a file as it stands there; a string is not quoted. Anything may be there, also what has no string form. */
function shown(value: unknown): string {
  return typeof value === "string" ? value : (JSON.stringify(value) ?? "missing");
}
