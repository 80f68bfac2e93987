// Constant folding: in a program that trains nothing, what depends on parameters and constants alone is the same from run to run
// until somebody changes a parameter. Transformed filters and the scales of batch-norm are computed once, then.
import type { Launch } from "../lower.ts";
import { readsOf, whole, writesOf } from "./memoryPlan.ts";
import type { Storage } from "./storage.ts";

export interface Folded {
  /** The launches, those in front that need no run of their own. */
  readonly launches: readonly Launch[];
  /** How many stand in front. */
  readonly constant: number;
  /** What the others read of theirs: it stays from run to run, so that nothing else may lie there. */
  readonly kept: readonly Storage[];
}

/** @param required what is read back. */
export function foldConstants(launches: readonly Launch[], required: Iterable<Storage>): Folded {
  // Whoever writes parameters, or state beside them, trains.
  if (launches.some((launch) => writesOf(launch).some(({ external }) => external))) {
    return { launches, constant: 0, kept: [] };
  }
  const varying = new Set<Storage>();
  const constant = new Set<Launch>();
  const writers = new Map<Storage, Launch[]>();
  for (const launch of launches) {
    for (const storage of writesOf(launch).map(whole)) writers.set(storage, [...(writers.get(storage) ?? []), launch]);
    const given = readsOf(launch).map(whole);
    const varies = given.some((storage) => storage.kind === "input" || varying.has(storage));
    if (!varies) constant.add(launch);
    else for (const storage of writesOf(launch)) varying.add(whole(storage));
  }
  // A buffer that is written in parts is constant where all of them are, and so is what was computed from it.
  for (let before = -1; before !== constant.size; ) {
    before = constant.size;
    for (const launch of constant) {
      const touched = [...readsOf(launch), ...writesOf(launch)].map(whole);
      if (touched.some((storage) => writers.get(storage)?.some((writer) => !constant.has(writer)))) {
        constant.delete(launch);
      }
    }
  }
  const read = new Set([...required].map(whole));
  for (const launch of launches) if (!constant.has(launch)) for (const s of readsOf(launch)) read.add(whole(s));
  const front = launches.filter((launch) => constant.has(launch));
  return {
    launches: [...front, ...launches.filter((launch) => !constant.has(launch))],
    constant: front.length,
    kept: [...new Set(front.flatMap(writesOf).map(whole))].filter((storage) => read.has(storage)),
  };
}
