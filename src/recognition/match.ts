// How far a picture is from a person who is known by several pictures.
import type { Recogniser } from "./gallery.ts";
import type { Nearest } from "./openSet.ts";

/**
 * `nearest`: as far as the nearest of the person's pictures. `mean`: as far as the mean of their embeddings, brought back
 * to unit length where the model's embeddings have it (the prototypes of J. Snell et al. 2017, the templates of face
 * recognition).
 */
export type Match = "nearest" | "mean";

export const matches = ["nearest", "mean"] as const satisfies readonly Match[];

/** The rows that stand for a person of these embeddings: [N, embedding] as they are, or their mean as one row. */
export function representatives(
  model: Pick<Recogniser, "embedding" | "unitLength">,
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
export function leastDistance(model: Recogniser, probe: Float32Array, rows: Float32Array): number {
  const probes = new Float32Array(rows.length);
  for (let at = 0; at < rows.length; at += probe.length) probes.set(probe, at);
  return model.distances(probes, rows).reduce((least, distance) => Math.min(least, distance));
}

/** Whom of some people, each given by rows of embeddings, one embedding is nearest to. */
export function nearestPerson(model: Recogniser, probe: Float32Array, people: readonly Float32Array[]): Nearest {
  const distances = people.map((rows) => leastDistance(model, probe, rows));
  const distance = distances.reduce((least, other) => Math.min(least, other));
  const person = distances.indexOf(distance);
  return { distance, person: distances.indexOf(distance, person + 1) < 0 ? person : null };
}
