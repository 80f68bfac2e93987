// The candidates of a choice, and what a tuner needs in order to try them without the program that they are a part of.

import { type Contest, wholeOf } from "../../gpu/contest.ts";
import type { Launch, Lowering } from "../lower.ts";
import type { Tensor } from "../tensor.ts";
import type { Storage } from "./storage.ts";

export interface Candidate<T> {
  /** Launches and does nothing else: a tuner may call it only to time what it launches. */
  launch(): T;
  /**
   * Marks the plain kernel that computes this on every adapter, whatever the extents: exactly one of the candidates. A
   * device opened with portable kernels takes no other, and does not ask for its `fits`, which can only be about speed. A
   * tuner takes only what agrees with it.
   */
  readonly portable?: true;
  /** Whether it can compute this at all on this device (shape, features, limits). @default true */
  readonly fits?: boolean;
  /** Whether the rules of thumb take it where nothing was timed; true by default. The first that is counts. */
  readonly preferred?: boolean;
  /** Whether it rounds to float16 on the way: a tuner compares it less strictly. */
  readonly half?: boolean;
}

/** Of a candidate, beside what all of them write to the same tensors. */
export type Results<T> = (made: T) => readonly Tensor[];
type Named<T> = readonly [name: string, candidate: Candidate<T>];

/** What each candidate launches. @param first number of the first launch of the choice itself. */
export function contestants<T>(
  to: Lowering,
  first: number,
  [portable, plain]: Named<T>,
  fitting: readonly Named<T>[],
  results: Results<T>,
): Omit<Contest, "key" | "byRule"> {
  const reference = capture(to, plain, results);
  // What it writes each time is no temporary of its own, but what all candidates are to write.
  const again = written(capture(to, plain, () => []).launches);
  const common = [...written(reference.launches)].filter((storage) => again.has(storage));
  const given = read(reference.launches);
  const whole = (found: typeof reference, half = false) => ({
    ...found,
    before: preparation(to, first, found.launches, given),
    results: [...common, ...found.results],
    half,
  });
  const all = whole(reference);
  const others = fitting.map(([name, candidate]) => {
    return [name, candidate === plain ? all : whole(capture(to, candidate, results), candidate.half)] as const;
  });
  return { candidates: new Map(others), portable, reference: all };
}

/** What it launches, taken off again, and then what makes its results comparable. */
function capture<T>(to: Lowering, { launch }: Candidate<T>, results: Results<T>) {
  const first = to.launches.length;
  const made = launch();
  const launches = to.launches.splice(first);
  const found = results(made).map((tensor) => to.storage(tensor));
  return { launches, after: to.launches.splice(first), results: found };
}

const storagesOf = (launches: readonly Launch[], written: boolean) =>
  new Set(
    launches.flatMap(({ shader, bindings }) =>
      Object.entries(bindings).flatMap(([name, storage]) =>
        (shader.bindings[name].access === "read_write") === written ? [wholeOf(storage).whole] : [],
      ),
    ),
  );
const written = (launches: readonly Launch[]) => storagesOf(launches, true);
const read = (launches: readonly Launch[]) => storagesOf(launches, false);

/**
 * What of the program computes what these launches read, from what is given: a filter that was transformed in front of all
 * else, an input that an earlier operation has transformed already. It ends at the inputs of the program.
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
