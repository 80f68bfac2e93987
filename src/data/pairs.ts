// Which two pictures meet in a training pair. The choice looks at labels alone, so a rejected pair costs no decoding.
import { TwingradError } from "../gpu/errors.ts";
import { indicesByIdentity } from "./dataset.ts";
import { Random, streams } from "./random.ts";

/** Indices of two pictures, and how many passes over the data were complete before this pair. */
export interface Pair {
  left: number;
  right: number;
  epoch: number;
}

export interface FilterProbabilities {
  /** The chance that a pair of pictures of one identity is kept. */
  sameProbability: number;
  /** The chance that a pair of pictures of two identities is kept. */
  differentProbability: number;
}

/**
 * How many candidate pairs, and how many kept ones, one pass of `filteredPairs` yields on average when the shuffle
 * buffer holds the whole data. Two uniform orders of N pictures meet in N candidates, of which
 * sum over identities of n_k^2 / N show one identity (a picture may meet itself).
 */
export function expectedPairs(labels: ArrayLike<number>, keep: FilterProbabilities) {
  const candidates = labels.length;
  const candidatesSame = indicesByIdentity(labels).reduce((sum, group) => sum + group.length ** 2, 0) / candidates;
  const candidatesDifferent = candidates - candidatesSame;
  return {
    candidates,
    candidatesSame,
    candidatesDifferent,
    same: candidatesSame * keep.sameProbability,
    different: candidatesDifferent * keep.differentProbability,
  };
}

/** The probability for different pairs that makes them as frequent as same ones, at most 1. */
export function balancingDifferentProbability(labels: ArrayLike<number>, sameProbability: number): number {
  const { candidatesSame, candidatesDifferent } = expectedPairs(labels, { sameProbability, differentProbability: 1 });
  return candidatesDifferent === 0 ? 0 : Math.min(1, (candidatesSame * sameProbability) / candidatesDifferent);
}

/**
 * The article's stream: two independent passes over the data, each shuffled through a buffer, zipped; a pair is kept
 * with the probability of its kind; repeated without end. One pass is an epoch.
 * @throws BAD_INPUT at once when no pass could ever yield a pair.
 */
export function filteredPairs(
  labels: ArrayLike<number>,
  options: FilterProbabilities & { seed: number; shuffleBuffer?: number },
): Generator<Pair, never> {
  const { sameProbability, differentProbability, seed, shuffleBuffer = 2000 } = options;
  for (const [name, value] of Object.entries({ sameProbability, differentProbability })) {
    if (!(value >= 0 && value <= 1))
      throw new TwingradError("BAD_INPUT", `${name} must lie between 0 and 1, not ${value}`);
  }
  if (!Number.isInteger(shuffleBuffer) || shuffleBuffer < 1) {
    throw new TwingradError("BAD_INPUT", `the shuffle buffer must hold at least 1 picture, not ${shuffleBuffer}`);
  }
  const groups = indicesByIdentity(labels).filter((group) => group.length > 0);
  if (groups.length === 0) throw new TwingradError("BAD_INPUT", "no pair can be formed: there are no pictures");
  const sameAccepted = sameProbability > 0 && groups.some((group) => group.length > 1);
  const differentAccepted = differentProbability > 0 && groups.length > 1;
  if (!sameAccepted && !differentAccepted) {
    const sameReason =
      sameProbability > 0 ? "no identity has two pictures" : "pairs of one identity are never kept (probability 0)";
    const differentReason =
      differentProbability > 0
        ? "there is only one identity"
        : "pairs of two identities are never kept (probability 0)";
    throw new TwingradError("BAD_INPUT", `the filter can accept no pair: ${sameReason}, and ${differentReason}`);
  }
  return zipAndFilter(labels, sameProbability, differentProbability, seed, shuffleBuffer);
}

function* zipAndFilter(
  labels: ArrayLike<number>,
  sameProbability: number,
  differentProbability: number,
  seed: number,
  buffer: number,
): Generator<Pair, never> {
  for (let epoch = 0; ; epoch++) {
    const filter = new Random(seed, streams.filter, epoch);
    const rights = shuffledPass(labels.length, buffer, new Random(seed, streams.rightPass, epoch));
    for (const left of shuffledPass(labels.length, buffer, new Random(seed, streams.leftPass, epoch))) {
      const right = rights.next().value as number;
      const keep = labels[left] === labels[right] ? sameProbability : differentProbability;
      if (filter.uniform() < keep) yield { left, right, epoch };
    }
  }
}

/** 0..count-1 through a shuffle buffer: a random element leaves, the next one of the input takes its place. */
export function* shuffledPass(count: number, bufferSize: number, random: Random): Generator<number, void> {
  const buffer = Array.from({ length: Math.min(count, bufferSize) }, (_, index) => index);
  let next = buffer.length;
  while (buffer.length > 0) {
    const position = random.integer(buffer.length);
    const chosen = buffer[position];
    if (next < count) buffer[position] = next++;
    else {
      const last = buffer.pop()!;
      if (position < buffer.length) buffer[position] = last;
    }
    yield chosen;
  }
}

/**
 * Same and different pairs with equal chance, uniform over identities and then over their pictures; a picture never
 * meets itself. An epoch is as many pairs as there are pictures.
 * @throws BAD_INPUT at once when there are fewer than two identities, or none with two pictures.
 */
export function balancedPairs(labels: ArrayLike<number>, { seed }: { seed: number }): Generator<Pair, never> {
  const groups = indicesByIdentity(labels).filter((group) => group.length > 0);
  const several = groups.filter((group) => group.length > 1);
  if (groups.length < 2)
    throw new TwingradError("BAD_INPUT", `balanced pairs need at least 2 identities, not ${groups.length}`);
  if (several.length === 0)
    throw new TwingradError("BAD_INPUT", "balanced pairs need an identity with at least 2 pictures");
  return drawBalanced(groups, several, labels.length, seed);
}

function* drawBalanced(groups: number[][], several: number[][], count: number, seed: number): Generator<Pair, never> {
  const random = new Random(seed, streams.balanced);
  for (let drawn = 0; ; drawn++) {
    const epoch = Math.floor(drawn / count);
    if (random.uniform() < 0.5) {
      const group = several[random.integer(several.length)];
      const [left, right] = twoOf(group.length, random);
      yield { left: group[left], right: group[right], epoch };
    } else {
      const [first, second] = twoOf(groups.length, random).map((identity) => groups[identity]);
      yield { left: first[random.integer(first.length)], right: second[random.integer(second.length)], epoch };
    }
  }
}

/** Two different integers in [0, count), in random order. */
function twoOf(count: number, random: Random): [number, number] {
  const first = random.integer(count);
  const second = random.integer(count - 1);
  return [first, second < first ? second : second + 1];
}
