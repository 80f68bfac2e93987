// A sampler decides which pictures are drawn next. It is an endless sequence whose whole state can be saved and
// restored, so that a resumed run draws what the interrupted one would have drawn. It uses labels alone and decodes
// nothing.
import { TwingradError } from "../../errors.ts";
import { checkLabels } from "../labels.ts";

/**
 * A sampler's whole state as plain JSON: `restore(JSON.parse(JSON.stringify(state())))` continues exactly there. `made`
 * holds the arguments that the sampler was created with; a sampler with other arguments rejects the state.
 */
export interface SamplerState {
  /** The kind of the sampler. */
  readonly kind: string;
  /** The seed, a fingerprint of the labels, and the sampler's options. */
  readonly made: Readonly<Record<string, number>>;
  /** How many examples have been drawn. */
  readonly drawn: number;
  /** The positions of random streams and shuffle buffers; absent where `drawn` is the whole state. */
  readonly position?: unknown;
}

/** An endless iterator over examples: pairs, triplets, or whole batches of some pictures of some identities. */
export abstract class Sampler<T> implements IterableIterator<T, never> {
  /** Seed of its random draws. */
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
      throw new TwingradError("BAD_INPUT", `${kind}: invalid seed ${options.seed}; expected an integer.`);
    this.seed = options.seed;
    this.#kind = kind;
    this.#made = { ...options, pictures: labels.length, labels: fingerprint(labels) };
  }

  /** How many examples have been drawn; this is also the number, from 0, of the next one. */
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

  /** The whole state, for `restore`. */
  state(): SamplerState {
    const position = this.position();
    const state = { kind: this.#kind, made: this.#made, drawn: this.#drawn };
    return position === undefined ? state : { ...state, position };
  }

  /**
   * Continues from a saved state of a sampler with the same arguments.
   * @throws CHECKPOINT_MISMATCH for the state of another kind of sampler, CORRUPT_FILE for an invalid state; the
   * sampler is then unchanged.
   */
  restore(state: SamplerState): void {
    const { kind, made, drawn, position } = state ?? {};
    if (typeof kind !== "string" || typeof made !== "object" || made === null) throw broken("missing kind or options");
    if (kind !== this.#kind) {
      throw new TwingradError(
        "CHECKPOINT_MISMATCH",
        `The saved data stream has ${shown(kind)}; this one has ${this.#kind}.`,
      );
    }
    for (const [name, value] of Object.entries(this.#made)) {
      if (made[name] === value) continue;
      const what =
        name === "labels" ? "the pictures' labels have changed" : `${name} was ${shown(made[name])}, not ${value}`;
      throw new TwingradError("CHECKPOINT_MISMATCH", `Cannot resume the saved stream of ${shown(kind)}: ${what}.`);
    }
    if (!isCount(drawn)) throw broken(`"drawn" is ${JSON.stringify(drawn)}`);
    this.moveTo(position, drawn);
    this.#drawn = drawn;
  }

  /** The example of this number, from 0; called with consecutive numbers. */
  protected abstract draw(number: number): T;

  /** What `restore` needs besides the number of examples drawn. */
  protected position(): unknown {
    return undefined;
  }

  /**
   * Restores what `position` returned. A corrupt checkpoint may pass any type: then throws `broken(...)`, unchanged.
   */
  protected moveTo(_position: unknown, _drawn: number): void {}
}

export function broken(reason: string): TwingradError {
  return new TwingradError("CORRUPT_FILE", `The saved state of the data stream is invalid: ${reason}.`);
}

export const isCount = (value: unknown): value is number => Number.isSafeInteger(value) && (value as number) >= 0;

/** FNV-1a over the labels' 32-bit words: detects added, removed or reordered pictures. */
function fingerprint(labels: ArrayLike<number>): number {
  let hash = 0x811c9dc5;
  for (let index = 0; index < labels.length; index++) {
    for (let shift = 0; shift < 32; shift += 8) hash = Math.imul(hash ^ ((labels[index] >>> shift) & 0xff), 0x01000193);
  }
  return hash >>> 0;
}

/** For each label that occurs, the indices of its pictures. @throws BAD_INPUT for a label that is not an integer. */
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

/** A value of a file for a message, strings unquoted; also for values without a string form. */
function shown(value: unknown): string {
  return typeof value === "string" ? value : (JSON.stringify(value) ?? "missing");
}
