// Rejection-sampled training pairs. The decision uses labels alone, so a rejected pair costs no decoding.
import { TwingradError } from "../../errors.ts";
import { checkOptions } from "../../options.ts";
import { Random, streams } from "../random.ts";
import { expectedPairs, type FilterProbabilities } from "./expectedPairs.ts";
import { broken, isCount, picturesOfEach, Sampler } from "./sampler.ts";
import { type PassState, ShuffledPass } from "./shuffledPass.ts";

/** Indices of two pictures, and the number of complete epochs before this pair. */
export interface Pair {
  /** A picture, by index. */
  left: number;
  /** Another picture, by index. */
  right: number;
  /** From 0. */
  epoch: number;
}

/** Options of `filteredPairs`. */
export interface FilteredPairsOptions extends FilterProbabilities {
  /** Seed of the random draws. */
  seed: number;
  /** Pictures in the shuffle buffer of each side, as in the article. @default 2000 */
  shuffleBuffer?: number;
}

/** It is an error to keep fewer than one in this many candidates: finding a pair would take seconds. */
const mostCandidates = 1e7;

/**
 * The article's stream: two independent streams of the data, each shuffled through a buffer, zipped. A pair is kept
 * with the probability of its kind. One pass is an epoch; passes repeat without end. A picture may be paired with
 * itself.
 * @throws BAD_INPUT at once, with the reason, when no epoch could yield a pair.
 * @example
 * ```ts
 * const pairs = filteredPairs(labelsOf(dataset), { sameProbability: 0.95, differentProbability: 0.001, seed: 1 });
 * ```
 */
export function filteredPairs(labels: ArrayLike<number>, options: FilteredPairsOptions): Sampler<Pair> {
  checkOptions("filteredPairs", options, { sameProbability: 1, differentProbability: 1, seed: 1, shuffleBuffer: 1 });
  const { sameProbability, differentProbability, shuffleBuffer = 2000 } = options;
  for (const [name, value] of Object.entries({ sameProbability, differentProbability })) {
    if (!(value >= 0 && value <= 1))
      throw new TwingradError("BAD_INPUT", `Invalid ${name} ${value}: expected a probability from 0 to 1.`);
  }
  if (!Number.isInteger(shuffleBuffer) || shuffleBuffer < 2) {
    throw new TwingradError(
      "BAD_INPUT",
      `Invalid shuffle buffer ${shuffleBuffer}: expected at least 2 pictures; with fewer, both sides keep the data's order and every picture is paired with itself.`,
    );
  }
  refuseImpossible(labels, { sameProbability, differentProbability, shuffleBuffer });
  return new FilteredPairs(labels, { ...options, shuffleBuffer });
}

function refuseImpossible(labels: ArrayLike<number>, keep: Required<Omit<FilteredPairsOptions, "seed">>): void {
  const { sameProbability, differentProbability, shuffleBuffer } = keep;
  const groups = picturesOfEach(labels);
  if (groups.length === 0) throw new TwingradError("BAD_INPUT", "No pair can be drawn: there are no pictures.");
  const sameAccepted = sameProbability > 0 && groups.some((group) => group.length > 1);
  const differentAccepted = differentProbability > 0 && groups.length > 1;
  if (!sameAccepted && !differentAccepted) {
    const sameReason =
      sameProbability > 0 ? "no identity has two pictures" : "genuine pairs are never kept (probability 0)";
    const differentReason =
      differentProbability > 0 ? "there is only one identity" : "impostor pairs are never kept (probability 0)";
    throw new TwingradError("BAD_INPUT", `No pair can be drawn: ${sameReason}, and ${differentReason}.`);
  }
  const { candidates, same, different } = expectedPairs(labels, keep, shuffleBuffer);
  if (same + different < candidates / mostCandidates) {
    const oneIn = (candidates / (same + different)).toExponential(1);
    throw new TwingradError(
      "BAD_INPUT",
      `Rejection sampling would keep one candidate in ${oneIn} on average, too few to fill a batch: raise the probabilities, or draw balanced pairs.`,
    );
  }
}

class FilteredPairs extends Sampler<Pair> {
  readonly #labels: ArrayLike<number>;
  readonly #options: Required<FilteredPairsOptions>;
  #epoch = 0;
  #left: ShuffledPass;
  #right: ShuffledPass;
  #filter: Random;

  constructor(labels: ArrayLike<number>, options: Required<FilteredPairsOptions>) {
    const { seed, sameProbability, differentProbability, shuffleBuffer } = options;
    super("filtered pairs", labels, { seed, sameProbability, differentProbability, shuffleBuffer });
    this.#labels = labels;
    this.#options = options;
    [this.#left, this.#right, this.#filter] = this.#passes(0);
  }

  protected draw(): Pair {
    const labels = this.#labels;
    const { sameProbability, differentProbability } = this.#options;
    for (;;) {
      if (this.#left.remaining === 0) [this.#left, this.#right, this.#filter] = this.#passes(++this.#epoch);
      const left = this.#left.next();
      const right = this.#right.next();
      const keep = labels[left] === labels[right] ? sameProbability : differentProbability;
      if (this.#filter.uniform() < keep) return { left, right, epoch: this.#epoch };
    }
  }

  protected override position(): unknown {
    const [left, right] = [this.#left.state(), this.#right.state()];
    return { epoch: this.#epoch, left, right, filter: this.#filter.position };
  }

  protected override moveTo(position: unknown): void {
    const { epoch, left, right, filter } = (position ?? {}) as Record<string, unknown>;
    if (!isCount(epoch) || !isCount(filter) || filter > 2 ** 34 || !isObject(left) || !isObject(right)) {
      throw broken("expected an epoch, the position of the filter's random stream, and two shuffled sequences");
    }
    const passes = this.#passes(epoch, left as unknown as PassState, right as unknown as PassState);
    if (passes[0].remaining !== passes[1].remaining) throw broken("its two shuffled sequences are at different places");
    [this.#left, this.#right, this.#filter] = passes;
    this.#filter.position = filter;
    this.#epoch = epoch;
  }

  /** Both shuffled sequences of an epoch and the filter's random numbers, from the start or from saved positions. */
  #passes(epoch: number, left?: PassState, right?: PassState): [ShuffledPass, ShuffledPass, Random] {
    const { seed, shuffleBuffer } = this.#options;
    const pass = (stream: number, state?: PassState) =>
      new ShuffledPass(this.#labels.length, shuffleBuffer, new Random(seed, stream, epoch), state);
    return [pass(streams.leftPass, left), pass(streams.rightPass, right), new Random(seed, streams.filter, epoch)];
  }
}

const isObject = (value: unknown) => typeof value === "object" && value !== null;
