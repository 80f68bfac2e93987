// One-shot recognition: of several identities, each shown once, which is the one on a further picture?
import type { Trial } from "../data/evaluation.ts";

/**
 * The share of trials in which the right identity's picture is strictly the nearest; a tie is a miss, so that a
 * network that cannot tell anybody apart scores nothing.
 * @param distance between two pictures, given by index.
 */
export function oneShotAccuracy(trials: readonly Trial[], distance: (a: number, b: number) => number): number {
  const right = trials.filter(({ probe, support, answer }) => {
    const own = distance(probe, support[answer]);
    return support.every((index, position) => position === answer || own < distance(probe, index));
  });
  return right.length / trials.length;
}
