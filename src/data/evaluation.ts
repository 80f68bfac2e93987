// What a trained network is asked: pairs of pictures (the same person?) and one-shot trials (which of these?).
// Drawn from labels, deterministic in the seed, so that two models are asked the same questions.
import { TwingradError } from "../gpu/errors.ts";
import { indicesByIdentity } from "./dataset.ts";
import { Random, streams } from "./random.ts";

/** Indices of two pictures, and whether they show one identity. */
export interface EvaluationPair {
  left: number;
  right: number;
  same: boolean;
}

/** Every pair of pictures, once. */
export function allPairs(labels: ArrayLike<number>): EvaluationPair[] {
  const pairs: EvaluationPair[] = [];
  for (let left = 0; left < labels.length; left++) {
    for (let right = left + 1; right < labels.length; right++) {
      pairs.push({ left, right, same: labels[left] === labels[right] });
    }
  }
  return pairs;
}

/**
 * For each identity with two pictures, up to `perIdentity` distinct pairs of its own pictures, and as many distinct
 * pairs of one of its pictures and somebody else's. No pair occurs twice.
 * @throws BAD_INPUT when there are fewer than two identities or none with two pictures.
 */
export function pairsPerIdentity(
  labels: ArrayLike<number>,
  { perIdentity, seed }: { perIdentity: number; seed: number },
): EvaluationPair[] {
  const groups = indicesByIdentity(labels);
  requirePeople(groups, 2, "evaluation pairs");
  const random = new Random(seed, streams.evaluation);
  const pairs: EvaluationPair[] = [];
  const taken = new Set<number>();
  for (const group of groups) {
    const ranks = distinct(perIdentity, (group.length * (group.length - 1)) / 2, random);
    for (const rank of ranks) {
      // The rank-th element of (1,0), (2,0), (2,1), (3,0), ...
      const second = Math.floor((1 + Math.sqrt(1 + 8 * rank)) / 2);
      pairs.push({ left: group[rank - (second * (second - 1)) / 2], right: group[second], same: true });
    }
    // Others may already have taken a pair with this identity: draw again, but not for ever when few are left.
    for (let wanted = ranks.length, attempts = 50 * ranks.length; wanted > 0 && attempts > 0; attempts--) {
      const left = group[random.integer(group.length)];
      const right = random.integer(labels.length);
      const key = Math.min(left, right) * labels.length + Math.max(left, right);
      if (labels[left] === labels[right] || taken.has(key)) continue;
      taken.add(key);
      pairs.push({ left, right, same: false });
      wanted--;
    }
  }
  return pairs;
}

/** One picture to recognise, one picture of each of several identities, and the position of the right one. */
export interface Trial {
  probe: number;
  support: number[];
  answer: number;
}

/**
 * N-way one-shot trials: the probe's identity uniform over those with two pictures, the others uniform without
 * repetition, the pictures uniform, the answer's position uniform.
 * @throws BAD_INPUT when there are fewer identities than ways, or none with two pictures.
 */
export function oneShotTrials(
  labels: ArrayLike<number>,
  { ways, trials, seed }: { ways: number; trials: number; seed: number },
): Trial[] {
  if (!Number.isInteger(ways) || ways < 2)
    throw new TwingradError("BAD_INPUT", `one-shot trials need at least 2 ways, not ${ways}`);
  const groups = indicesByIdentity(labels);
  requirePeople(groups, ways, `${ways}-way one-shot trials`);
  const present = groups.filter((group) => group.length > 0);
  const several = present.filter((group) => group.length > 1);
  const random = new Random(seed, streams.trials);
  return Array.from({ length: trials }, () => {
    const target = several[random.integer(several.length)];
    const [probe, shown] = distinct(2, target.length, random).map((position) => target[position]);
    const targetPosition = present.indexOf(target);
    const others = distinct(ways - 1, present.length - 1, random)
      .map((position) => present[position < targetPosition ? position : position + 1])
      .map((group) => group[random.integer(group.length)]);
    const answer = random.integer(ways);
    return { probe, support: [...others.slice(0, answer), shown, ...others.slice(answer)], answer };
  });
}

function requirePeople(groups: number[][], identities: number, what: string): void {
  const present = groups.filter((group) => group.length > 0);
  if (present.length < identities)
    throw new TwingradError("BAD_INPUT", `${what} need ${identities} identities; there are ${present.length}`);
  if (!present.some((group) => group.length > 1))
    throw new TwingradError("BAD_INPUT", `${what} need an identity with 2 pictures; there is none`);
}

/** min(count, total) different integers in [0, total), in random order. */
function distinct(count: number, total: number, random: Random): number[] {
  const wanted = Math.min(count, total);
  // A sparse Fisher-Yates shuffle: only the positions that were touched are stored.
  const moved = new Map<number, number>();
  return Array.from({ length: wanted }, (_, position) => {
    const other = position + random.integer(total - position);
    const chosen = moved.get(other) ?? other;
    moved.set(other, moved.get(position) ?? position);
    return chosen;
  });
}
