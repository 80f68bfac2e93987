// Several ways to compute one thing, to be held against the portable one and timed against each other.
import type { Shader } from "./shader.ts";

/** What a kernel binds, and what it may be filled with where no launch writes it. */
export interface Bound {
  readonly bytes: number;
  readonly dtype?: string;
  /** Its contents, where they are fixed. */
  readonly data?: Float32Array;
  /** For u32: what its elements are below; any 32 bits by default. */
  readonly below?: number;
  /** What its elements usually come to. @default 1 */
  readonly magnitude?: number;
  /** For u32: which bits of an element mean something; all by default. */
  readonly mask?: (element: number) => number;
  /** Set where it is a part of another. */
  readonly within?: { readonly whole: Bound; readonly offset: number };
}

/** One dispatch to be timed, as the tape records it. */
export interface TimedLaunch {
  readonly shader: Shader;
  readonly bindings: Readonly<Record<string, Bound>>;
  readonly constants: Readonly<Record<string, number>>;
  readonly tunables: Readonly<Record<string, number>>;
  readonly workgroups: readonly [number, number, number];
}

/** One of them. Only `launches` are timed. */
export interface Contestant {
  /** Make what this one reads and the portable one does not from what that one reads: transformed filters. */
  readonly before: readonly TimedLaunch[];
  readonly launches: readonly TimedLaunch[];
  /** Make results that can be compared: sums over parts. */
  readonly after: readonly TimedLaunch[];
  /** In the same order for all contestants. */
  readonly results: readonly Bound[];
  /** Whether it rounds to float16 on the way, for which it is compared less strictly. */
  readonly half: boolean;
}

/** What is bound as a whole, in the end, and where in it a part begins. */
export function wholeOf<B extends Bound>(bound: B): { whole: B; offset: number } {
  if (!bound.within) return { whole: bound, offset: 0 };
  const { whole, offset } = wholeOf(bound.within.whole as B);
  return { whole, offset: offset + bound.within.offset };
}

/** The candidates for one key, and what their results are held against. */
export interface Contest {
  readonly key: string;
  /** The candidate that the rules of thumb take. */
  readonly byRule: string;
  readonly candidates: ReadonlyMap<string, Contestant>;
  /** The name of the portable one. It may be none of the candidates: where others fit, it may be too slow to be timed. */
  readonly portable: string;
  readonly reference: Contestant;
}
