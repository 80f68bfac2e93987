// The candidates of a choice, in the form that a tuner needs to try them outside of the program.

import type { Contest } from "../../gpu/contest.ts";
import { type Launch, type Lowering, readsOf, writesOf } from "../lower.ts";
import type { Tensor } from "../tensor.ts";
import { type Storage, whole } from "./storage.ts";

export interface Candidate<T> {
  /** Launches and has no other effect: a tuner may call it only to time the launches. */
  launch(): T;
  /**
   * Marks the portable kernel, which computes this on every adapter for all extents: exactly one of the candidates. A
   * device opened with portable kernels uses no other and ignores its `fits`, which can only concern speed. A tuner
   * uses only candidates that agree with it.
   */
  readonly portable?: true;
  /** Whether it can compute this at all on this device (shape, features, limits). @default true */
  readonly fits?: boolean;
  /** Whether the rules choose it if nothing was timed; true by default. The first preferred candidate counts. */
  readonly preferred?: boolean;
  /** Whether it rounds to float16 internally: a tuner then compares it less strictly. */
  readonly half?: boolean;
}

/** A candidate's results, besides the tensors that all candidates write. */
export type Results<T> = (made: T) => readonly Tensor[];
type Named<T> = readonly [name: string, candidate: Candidate<T>];

/** The launches of each candidate. @param first index of the first launch of the choice itself. */
export function contestants<T>(
  to: Lowering,
  first: number,
  [portable, plain]: Named<T>,
  fitting: readonly Named<T>[],
  results: Results<T>,
): Omit<Contest, "key" | "byRule"> {
  const reference = capture(to, plain, results);
  // Storages written by both captures are not temporaries of its own, but common results of all candidates.
  const again = written(capture(to, plain, () => []).launches);
  const common = [...written(reference.launches)].filter((storage) => again.has(storage));
  const given = read(reference.launches);
  const complete = (found: typeof reference, half = false) => ({
    ...found,
    before: preparation(to, first, found.launches, given),
    results: [...common, ...found.results],
    half,
  });
  const all = complete(reference);
  const others = fitting.map(([name, candidate]) => {
    return [name, candidate === plain ? all : complete(capture(to, candidate, results), candidate.half)] as const;
  });
  return { candidates: new Map(others), portable, reference: all };
}

/** Captures its launches without keeping them, then those that make its results comparable. */
function capture<T>(to: Lowering, { launch }: Candidate<T>, results: Results<T>) {
  const first = to.launches.length;
  const made = launch();
  const launches = to.launches.splice(first);
  const found = results(made).map((tensor) => to.storage(tensor));
  return { launches, after: to.launches.splice(first), results: found };
}

const written = (launches: readonly Launch[]) => new Set(launches.flatMap(writesOf).map(whole));
const read = (launches: readonly Launch[]) => new Set(launches.flatMap(readsOf).map(whole));

/**
 * The program's launches that compute the inputs of these launches from the given storages: for example a filter
 * transformed in the prologue, or an input transformed by an earlier operation. It stops at the inputs of the program.
 */
function preparation(to: Lowering, first: number, launches: readonly Launch[], given: ReadonlySet<Storage>): Launch[] {
  const found: Launch[] = [];
  const known = new Set([...given, ...written(launches)]);
  const missing = new Set([...read(launches)].filter((storage) => !known.has(storage)));
  const need = (launch: Launch) => {
    found.unshift(launch);
    for (const storage of written([launch])) missing.delete(storage);
    for (const storage of read([launch])) if (!known.has(storage)) missing.add(storage);
  };
  for (let i = first - 1; i >= 0; i--) {
    if ([...written([to.launches[i]])].some((storage) => missing.has(storage))) need(to.launches[i]);
  }
  for (const storage of missing) {
    const alone = to.alone.get(storage);
    if (!alone) continue;
    const before = to.launches.length;
    alone();
    to.launches.splice(before).forEach(need);
  }
  return found;
}
