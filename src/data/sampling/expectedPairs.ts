// The expected yield of the rejection sampling of pairs, computed before training starts, so that a bad choice of
// probabilities is reported at once instead of after a day of training.
import { picturesOfEach } from "./sampler.ts";

/** The probabilities that `filteredPairs` keeps a pair with. */
export interface FilterProbabilities {
  /** The probability that a genuine pair is kept. */
  sameProbability: number;
  /** The probability that an impostor pair is kept. */
  differentProbability: number;
}

/**
 * The expected numbers of candidate pairs and of kept pairs in one epoch of `filteredPairs`: exact for data in this
 * order and for a shuffle buffer of this size.
 *
 * A buffer of B pictures gives up one at random in each step and takes in the next. With m_k(t) the expected number of
 * pictures of identity k in it, m_k(t + 1) = m_k(t) (1 - 1/B) + [picture t + B is of k], and a pass gives identity k at
 * t with probability m_k(t) / B; two independent passes show one identity with probability sum_k (m_k(t) / B)^2. This
 * does not change while the buffer empties at the end. If the buffer holds all N pictures it is sum_k (n_k / N)^2.
 * @returns Expected numbers in one epoch: `candidates` before filtering, of both kinds; `same` and `different` after
 * it.
 * @example
 * ```ts
 * const { same, different } = expectedPairs(labels, { sameProbability: 0.95, differentProbability: 0.001 });
 * ```
 */
export function expectedPairs(labels: ArrayLike<number>, keep: FilterProbabilities, shuffleBuffer = 2000) {
  const candidates = labels.length;
  const held = Math.min(shuffleBuffer, candidates);
  const stays = 1 - 1 / held;
  // m_k(t) = stays^(t - last) * count, from the step when identity k last came in: the sum of squares needs no loop
  // over k.
  const identities = new Map<number, { count: number; last: number }>();
  let squares = 0;
  const enter = (label: number, step: number) => {
    const { count, last } = identities.get(label) ?? { count: 0, last: step };
    const before = count * stays ** (step - last);
    identities.set(label, { count: before + 1, last: step });
    squares += 2 * before + 1;
  };
  for (let index = 0; index < held; index++) enter(labels[index], 0);
  let candidatesSame = 0;
  for (let step = 0; step < candidates - held; step++) {
    candidatesSame += squares / held ** 2;
    squares *= stays ** 2;
    enter(labels[step + held], step + 1);
  }
  if (held > 0) candidatesSame += squares / held;
  if (identities.size === 1) candidatesSame = candidates; // free of rounding errors
  const candidatesDifferent = candidates - candidatesSame;
  return {
    candidates,
    candidatesSame,
    candidatesDifferent,
    same: candidatesSame * keep.sameProbability,
    different: candidatesDifferent * keep.differentProbability,
  };
}

/**
 * The probability of keeping impostor pairs that makes them as frequent as genuine ones, at most 1.
 * @example
 * ```ts
 * const differentProbability = balancingDifferentProbability(labels, 0.95);
 * ```
 */
export function balancingDifferentProbability(
  labels: ArrayLike<number>,
  sameProbability: number,
  shuffleBuffer?: number,
): number {
  const keep = { sameProbability, differentProbability: 1 };
  const { candidatesSame, candidatesDifferent } = expectedPairs(labels, keep, shuffleBuffer);
  return candidatesDifferent <= 0 ? 0 : Math.min(1, (candidatesSame * sameProbability) / candidatesDifferent);
}

/** If the share of the rarer kind is below this, the network hardly learns from it. */
const leastShare = 0.1;
/** Drawing more candidates than this for each kept pair slows a step down. */
const manyCandidates = 1e5;
const balanced = "--balanced (in a program: balancedPairs)";

/**
 * Warnings about a filter's yield, for before training: one sentence each; empty if the yield is good.
 * @example
 * ```ts
 * for (const warning of yieldWarnings(labels, { sameProbability: 0.95, differentProbability: 0.001 })) console.warn(warning);
 * ```
 */
export function yieldWarnings(labels: ArrayLike<number>, keep: FilterProbabilities, shuffleBuffer?: number): string[] {
  const { candidates, candidatesSame, candidatesDifferent, same, different } = expectedPairs(
    labels,
    keep,
    shuffleBuffer,
  );
  const kept = same + different;
  const warnings: string[] = [];
  const rarer = Math.min(same, different);
  if (rarer < leastShare * kept) {
    warnings.push(
      `an epoch gives about ${count(same)} genuine pairs (of ${count(candidatesSame)} candidates) and ` +
        `${count(different)} impostor pairs (of ${count(candidatesDifferent)}): only ${count((100 * rarer) / kept)} % are ` +
        `${same < different ? "genuine" : "impostor"} pairs, and the network learns little from them; ${balanced} draws both kinds equally often`,
    );
  }
  if (keep.sameProbability > 0 && picturesOfEach(labels).every((group) => group.length === 1)) {
    warnings.push("no identity has two pictures: a genuine pair is always a picture paired with itself");
  }
  if (candidates > manyCandidates * kept) {
    warnings.push(
      `rejection sampling keeps one candidate in ${count(candidates / kept)}: drawing pairs will slow training down; ` +
        `${balanced} draws each pair directly`,
    );
  }
  return warnings;
}

/** Three significant digits, without an exponent. */
const count = (value: number) => value.toLocaleString("en-US", { maximumSignificantDigits: 3 });
