// The distance of a picture to a person with several enrolled pictures.

import type { Nearest } from "../evaluation/openSet.ts";
import type { Recognizer } from "./recognizer.ts";

/**
 * `nearest`: the distance to the nearest of the person's pictures. `mean`: the distance to the mean of their
 * embeddings, normalized where the model's embeddings have unit length (the prototypes of J. Snell et al. 2017, the
 * templates of face recognition).
 */
export type Match = "nearest" | "mean";

export const matches = ["nearest", "mean"] as const satisfies readonly Match[];

/** The rows that represent a person: the embeddings [N, embedding], or their mean as one row. */
export function representatives(
  model: Pick<Recognizer, "embedding" | "unitLength">,
  embeddings: Float32Array,
  match: Match,
): Float32Array {
  const { embedding: length } = model;
  const count = embeddings.length / length;
  if (match === "nearest" || count === 1) return embeddings;
  const mean = Float64Array.from({ length }, (_, i) => {
    let sum = 0;
    for (let row = 0; row < count; row++) sum += embeddings[row * length + i];
    return sum / count;
  });
  const norm = model.unitLength ? Math.hypot(...mean) || 1 : 1;
  return Float32Array.from(mean, (value) => value / norm);
}

/** The least distance of one embedding to any of the rows. */
export function leastDistance(model: Recognizer, probe: Float32Array, rows: Float32Array): number {
  const { length } = probe;
  let least = Number.POSITIVE_INFINITY;
  for (let at = 0; at < rows.length; at += length) {
    least = Math.min(least, model.distances(probe, rows.subarray(at, at + length))[0]);
  }
  return least;
}

/**
 * Returns a function that finds the nearest of some people, each given by rows of embeddings. All rows are compared in
 * one call for each probe, instead of one for each person.
 */
export function personSearch(model: Recognizer, people: readonly Float32Array[]): (probe: Float32Array) => Nearest {
  const rows = new Float32Array(people.reduce((sum, own) => sum + own.length, 0));
  let filled = 0;
  for (const own of people) {
    rows.set(own, filled);
    filled += own.length;
  }
  const probes = new Float32Array(rows.length);
  return (probe) => {
    for (let at = 0; at < probes.length; at += probe.length) probes.set(probe, at);
    const distances = model.distances(probes, rows);
    let nearest: Nearest = { distance: Number.POSITIVE_INFINITY, person: null };
    let row = 0;
    for (const [person, own] of people.entries()) {
      const end = row + own.length / model.embedding;
      for (; row < end; row++) {
        const distance = distances[row];
        if (distance < nearest.distance) nearest = { distance, person };
        else if (distance === nearest.distance && nearest.person !== person) nearest = { distance, person: null };
      }
    }
    return nearest;
  };
}
