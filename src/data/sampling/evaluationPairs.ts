// Evaluation tasks drawn from labels: pairs of pictures for verification, and one-shot trials for identification. They
// are deterministic in the seed, so that two models are evaluated on the same tasks.
import { TwingradError } from "../../errors.ts";
import { checkOptions } from "../../options.ts";
import { indicesByIdentity } from "../dataset.ts";
import { Random, streams } from "../random.ts";

/** Indices of two pictures, and whether they show one identity. */
export interface EvaluationPair {
  /** A picture, by index. */
  left: number;
  /** Another picture, by index. */
  right: number;
  /** Whether it is a genuine pair. */
  same: boolean;
}

/**
 * Every pair of pictures, once.
 * @param labels - [N]: for each picture the index of its identity.
 * @returns N (N - 1) / 2 pairs.
 * @example
 * ```ts
 * allPairs([0, 0, 1]); // [{ left: 0, right: 1, same: true }, { left: 0, right: 2, same: false }, ...]
 * ```
 */
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
 * impostor pairs with one of its pictures. No pair occurs twice.
 * @throws BAD_INPUT when there are fewer than two identities or none with two pictures.
 * @example
 * ```ts
 * const pairs = pairsPerIdentity(labelsOf(dataset), { perIdentity: 10, seed: 1 });
 * const { report } = await evaluateModel(model, dataset, pairs);
 * ```
 */
export function pairsPerIdentity(
  labels: ArrayLike<number>,
  options: { perIdentity: number; seed: number },
): EvaluationPair[] {
  checkOptions("pairsPerIdentity", options, { perIdentity: 1, seed: 1 });
  const { perIdentity, seed } = options;
  const groups = indicesByIdentity(labels);
  requireIdentities(groups, 2, "evaluation pairs");
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
    // Another identity may already have drawn a pair: draw again, but give up after many attempts when few are
    // left.
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

/** A probe, the support set with pictures of each of several identities, and the position of the probe's identity. */
export interface Trial {
  /** The picture to recognize, by index. */
  probe: number;
  /** `shots` pictures of the first identity, then as many of the second, and so on. */
  support: number[];
  /** The position, from 0, of the probe's identity. */
  answer: number;
  /** Pictures of each identity. @default 1 */
  shots?: number;
}

/** How one-shot trials are drawn. */
export interface TrialOptions {
  /** Number of identities to choose from. */
  ways: number;
  /** Pictures of each identity. @default 1 */
  shots?: number;
  /** How many trials. */
  trials: number;
  /** Seed of the random draws: the same seed gives the same trials. */
  seed: number;
  /** For each identity the index of its group, where a trial is to stay within one group; groups take turns. */
  groups?: ArrayLike<number>;
}

/**
 * N-way K-shot trials: the probe's identity uniform over those with K + 1 pictures, the others uniform without
 * repetition over those with K, the pictures uniform, the answer's position uniform. Groups with too few identities for
 * a trial have none.
 * @throws BAD_INPUT when there are fewer identities with K pictures than ways (in every group), or none with K + 1.
 * @example
 * ```ts
 * const trials = oneShotTrials(labelsOf(dataset), { ways: 20, trials: 400, seed: 1 });
 * console.log(await evaluateOneShot(model, dataset, trials)); // the accuracy
 * ```
 */
export function oneShotTrials(labels: ArrayLike<number>, options: TrialOptions): Trial[] {
  checkOptions("oneShotTrials", options, { ways: 1, shots: 1, trials: 1, seed: "finite number", groups: 1 });
  const { ways, shots = 1, trials, seed, groups } = options;
  if (!Number.isInteger(ways) || ways < 2)
    throw new TwingradError("BAD_INPUT", `One-shot trials need at least 2 ways, not ${ways}.`);
  if (!Number.isInteger(shots) || shots < 1)
    throw new TwingradError("BAD_INPUT", `${ways}-way trials need at least 1 shot, not ${shots}.`);
  if (!Number.isInteger(trials) || trials < 1)
    throw new TwingradError("BAD_INPUT", `oneShotTrials: trials is ${trials}; expected an integer of at least 1.`);
  const pools = trialPools(indicesByIdentity(labels), ways, shots, groups);
  const random = new Random(seed, streams.trials);
  return Array.from({ length: trials }, (_, trial) => {
    const { present, several } = pools[trial % pools.length];
    const target = several[random.integer(several.length)];
    const [probe, ...shown] = distinct(1 + shots, target.length, random).map((position) => target[position]);
    const targetPosition = present.indexOf(target);
    const others = distinct(ways - 1, present.length - 1, random)
      .map((position) => present[position < targetPosition ? position : position + 1])
      .map((pictures) => distinct(shots, pictures.length, random).map((position) => pictures[position]));
    const answer = random.integer(ways);
    const support = [...others.slice(0, answer), shown, ...others.slice(answer)].flat();
    return { probe, support, answer, shots };
  });
}

/** The pictures of the identities that may be in one trial: of all, and of those that a probe can be drawn from. */
interface Pool {
  present: number[][];
  several: number[][];
}

function trialPools(identities: number[][], ways: number, shots: number, groups?: ArrayLike<number>): Pool[] {
  const what = shots === 1 ? `${ways}-way one-shot trials` : `${ways}-way ${shots}-shot trials`;
  if (!groups) requireIdentities(identities, ways, what, shots);
  const byGroup = new Map<number, number[][]>();
  identities.forEach((pictures, identity) => {
    const group = groups ? groups[identity] : 0;
    byGroup.set(group, [...(byGroup.get(group) ?? []), pictures]);
  });
  const pools = [...byGroup.values()].map((members): Pool => {
    const present = members.filter((pictures) => pictures.length >= shots);
    return { present, several: present.filter((pictures) => pictures.length > shots) };
  });
  const usable = pools.filter(({ present, several }) => present.length >= ways && several.length > 0);
  if (usable.length === 0) {
    const most = Math.max(0, ...pools.map(({ present }) => present.length));
    throw new TwingradError(
      "BAD_INPUT",
      `${what} within groups need ${ways} identities with ${pictureCount(shots)} in one group, one of them with ${shots + 1}; the largest group has ${most}.`,
    );
  }
  return usable;
}

const pictureCount = (count: number) => (count === 1 ? "1 picture" : `${count} pictures`);

function requireIdentities(groups: number[][], identities: number, what: string, shots = 1): void {
  const present = groups.filter((group) => group.length >= shots);
  const enough = shots === 1 ? "" : ` with ${pictureCount(shots)}`;
  if (present.length < identities)
    throw new TwingradError(
      "BAD_INPUT",
      `${what} need ${identities} identities${enough}; there are ${present.length}.`,
    );
  if (!present.some((group) => group.length > shots))
    throw new TwingradError("BAD_INPUT", `${what} need an identity with ${shots + 1} pictures; there is none.`);
}

/** min(count, total) distinct integers in [0, total), in random order. */
function distinct(count: number, total: number, random: Random): number[] {
  const wanted = Math.min(count, total);
  // A sparse Fisher-Yates shuffle: only the positions that change are stored.
  const moved = new Map<number, number>();
  return Array.from({ length: wanted }, (_, position) => {
    const other = position + random.integer(total - position);
    const chosen = moved.get(other) ?? other;
    moved.set(other, moved.get(position) ?? position);
    return chosen;
  });
}
