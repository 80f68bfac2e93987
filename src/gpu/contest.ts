// Candidate kernels for one computation: each is compared with the portable kernel and timed against the others.
import type { Shader } from "./shader.ts";

/** A buffer that a kernel binds, and the values to fill it with if no launch writes it. */
export interface Bound {
  readonly bytes: number;
  readonly dtype?: string;
  /** Its contents, if they are fixed. */
  readonly data?: Float32Array;
  /** For u32: an exclusive upper bound of its elements; any 32 bits by default. */
  readonly below?: number;
  /** What its elements usually come to. @default 1 */
  readonly magnitude?: number;
  /** For u32: the significant bits of an element; all by default. */
  readonly mask?: (element: number) => number;
  /** The buffer that it is a part of, if any. */
  readonly within?: { readonly whole: Bound; readonly offset: number };
}

/** One dispatch to time, as the tape records it. */
export interface TimedLaunch {
  readonly shader: Shader;
  readonly bindings: Readonly<Record<string, Bound>>;
  readonly constants: Readonly<Record<string, number>>;
  readonly tunables: Readonly<Record<string, number>>;
  readonly workgroups: readonly [number, number, number];
}

/** One candidate. Only `launches` are timed. */
export interface Contestant {
  /** Compute inputs that only this candidate reads, such as transformed filters, from the portable kernel's inputs. */
  readonly before: readonly TimedLaunch[];
  readonly launches: readonly TimedLaunch[];
  /** Reduce results to a comparable form, such as sums over parts. */
  readonly after: readonly TimedLaunch[];
  /** In the same order for all candidates. */
  readonly results: readonly Bound[];
  /** Whether it rounds to float16 internally; the comparison is then less strict. */
  readonly half: boolean;
}

/** The whole buffer that is bound, and the offset of the part in it. */
export function wholeOf<B extends Bound>(bound: B): { whole: B; offset: number } {
  if (!bound.within) return { whole: bound, offset: 0 };
  const { whole, offset } = wholeOf(bound.within.whole as B);
  return { whole, offset: offset + bound.within.offset };
}

/** The candidates for one key, and the reference for their results. */
export interface Contest {
  readonly key: string;
  /** The candidate that the rules choose. */
  readonly byRule: string;
  readonly candidates: ReadonlyMap<string, Contestant>;
  /** The portable kernel's name. It is not always a candidate: if others fit, it may be too slow to time. */
  readonly portable: string;
  readonly reference: Contestant;
}
