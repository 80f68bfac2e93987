// Constant folding: in a program that trains nothing, values that depend on parameters and constants alone change only
// when the parameters do. Transformed filters and batch-norm's scales are then computed once.
import { type Launch, readsOf, writesOf } from "../lower.ts";
import { type Storage, whole } from "./storage.ts";

export interface Folded {
  /** The launches, the constant ones first. */
  readonly launches: readonly Launch[];
  /** The number of constant launches. */
  readonly constant: number;
  /** Results of constant launches that others read: they persist between runs, so their memory is not shared. */
  readonly kept: readonly Storage[];
}

/** @param required the storages that are read back. */
export function foldConstants(launches: readonly Launch[], required: Iterable<Storage>): Folded {
  // A program that writes parameters, or state beside them, trains.
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
  // A buffer written in parts is constant only if all of them are; the same holds for everything computed from it.
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
