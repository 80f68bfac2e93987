// One-shot identification: given one or a few pictures of each of several identities, which identity does a probe show?
import type { Trial } from "../data/sampling/evaluationPairs.ts";

/** The distance of a probe to an identity known by some pictures; pictures are given by index. */
export type DistanceToPictures = (probe: number, pictures: readonly number[]) => number;

/**
 * For each trial whether the right identity is strictly the nearest; a tie is a miss, so that a network that cannot tell
 * anybody apart scores nothing.
 * @example
 * ```ts
 * const trials = oneShotTrials(labels, { ways: 5, trials: 100, seed: 1 });
 * const hits = oneShotHits(trials, (probe, pictures) => Math.min(...pictures.map((picture) => Math.abs(probe - picture))));
 * ```
 */
export function oneShotHits(trials: readonly Trial[], distance: DistanceToPictures): boolean[] {
  return trials.map(({ probe, support, answer, shots = 1 }) => {
    const distances = Array.from({ length: support.length / shots }, (_, way) =>
      distance(probe, support.slice(way * shots, (way + 1) * shots)),
    );
    return distances.every((other, way) => way === answer || distances[answer] < other);
  });
}

/**
 * The share of trials where the correct identity is strictly the nearest; the distance to an identity is that to the
 * nearest of its pictures.
 * @param distance between two pictures, given by index.
 * @example
 * ```ts
 * const trials = oneShotTrials(labels, { ways: 5, trials: 100, seed: 1 });
 * const accuracy = oneShotAccuracy(trials, (a, b) => Math.abs(a - b));
 * ```
 */
export function oneShotAccuracy(trials: readonly Trial[], distance: (a: number, b: number) => number): number {
  const hits = oneShotHits(trials, (probe, pictures) => Math.min(...pictures.map((other) => distance(probe, other))));
  return hits.filter(Boolean).length / trials.length;
}
