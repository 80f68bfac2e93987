// Several ways to compute one thing, to be timed against each other.
import type { Shader } from "./shader.ts";

/** One dispatch to be timed, as the tape records it. */
export interface TimedLaunch {
  readonly shader: Shader;
  readonly bindings: Readonly<Record<string, { readonly bytes: number }>>;
  readonly constants: Readonly<Record<string, number>>;
  readonly tunables: Readonly<Record<string, number>>;
  readonly workgroups: readonly [number, number, number];
}

/** The candidates for one key, with what each launches. */
export interface Contest {
  readonly key: string;
  /** The candidate that the rules of thumb take. */
  readonly byRule: string;
  readonly candidates: ReadonlyMap<string, readonly TimedLaunch[]>;
}
