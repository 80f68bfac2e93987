// Which identities a network is trained on, and which are held out to judge it: nobody is ever in both parts.

import { TwingradError } from "../errors.ts";
import { checkOptions } from "../options.ts";
import { type Dataset, type Item, identityGroups, subset } from "./dataset.ts";
import { Random, streams } from "./random.ts";

/** The `number`-th, from 1, of `of` parts of as equal a size as can be: every identity is in one of them. */
export interface Fold {
  /** From 1. */
  readonly number: number;
  /** How many folds there are. */
  readonly of: number;
}

/** How a dataset is divided by identity. */
export interface Split {
  /** The share that is held out; what a fold says comes first. */
  readonly fraction: number;
  /** Instead: the part that is held out, so that one run for each part judges everybody once. */
  readonly fold?: Fold;
  /** Of the random division. */
  readonly seed: number;
  /** Groups are held out whole (`identityGroups`), so that nothing of their kind was trained on. @default false */
  readonly wholeGroups?: boolean;
}

/** A dataset in two parts without a common identity. */
export interface Divided<I extends Item = Item> {
  /** What is trained on. */
  readonly training: Dataset<I>;
  /** What is evaluated on: held-out identities. */
  readonly heldOut: Dataset<I>;
}

/**
 * Splits by identity, or by group of identities. A share holds out at least two identities, or one group. The choice
 * depends on the seed and on the set of names, not on their order.
 * @throws BAD_INPUT when either part would have fewer than two identities, for a fold that there is none of, and for
 * groups where there is one alone.
 * @example
 * ```ts
 * const { training, heldOut } = splitIdentities(dataset, { fraction: 0.2, seed: 1 });
 * const first = splitIdentities(dataset, { fraction: 0.2, fold: { number: 1, of: 8 }, seed: 1 });
 * ```
 */
export function splitIdentities<I extends Item>(dataset: Dataset<I>, split: Split): Divided<I> {
  checkOptions("splitIdentities", split, {
    fraction: "number",
    fold: 1,
    seed: "finite number",
    wholeGroups: "boolean",
  });
  const { fraction, fold, seed, wholeGroups = false } = split;
  const { names, unitOf } = wholeGroups ? groupUnits(dataset) : identityUnits(dataset);
  const byNaturalOrder = names.map((_, unit) => unit).sort((a, b) => (names[a] < names[b] ? -1 : 1));
  const order = new Random(seed, streams.split).shuffle(byNaturalOrder);
  const chosen = new Set(
    fold
      ? order.slice(edge(fold, fold.number - 1, names.length), edge(fold, fold.number, names.length))
      : order.slice(0, Math.max(wholeGroups ? 1 : 2, Math.round(fraction * names.length))),
  );
  const part = (held: boolean) => dataset.identities.map((_, i) => i).filter((i) => chosen.has(unitOf[i]) === held);
  const [heldOut, training] = [part(true), part(false)];
  const possible = fold ? isFold(fold) && fold.of <= names.length : fraction > 0 && fraction < 1;
  if (!possible || heldOut.length < 2 || training.length < 2) {
    const what = fold ? `part ${fold.number}/${fold.of}` : `${fraction}`;
    const whole = wholeGroups ? `the ${names.length} groups of ` : "";
    const expected = fold
      ? "there must be as many parts as that, and no more than there is to hold out"
      : "the fraction must lie between 0 and 1";
    throw new TwingradError(
      "BAD_INPUT",
      `cannot hold out ${what} of ${whole}${dataset.identities.length} identities: ${expected}, and at least 2 identities must remain on either side`,
    );
  }
  return { training: subset(dataset, training), heldOut: subset(dataset, heldOut) };
}

export const isFold = ({ number, of }: Fold): boolean =>
  Number.isInteger(number) && Number.isInteger(of) && of >= 2 && number >= 1 && number <= of;

/** Where the `n`-th part of `count` ends. */
const edge = ({ of }: Fold, n: number, count: number) => Math.floor((n * count) / of);

interface Units {
  readonly names: readonly string[];
  /** For each identity the unit that it is in. */
  readonly unitOf: ArrayLike<number>;
}

const identityUnits = ({ identities }: Dataset): Units => ({ names: identities, unitOf: identities.map((_, i) => i) });

function groupUnits(dataset: Dataset): Units {
  const { names, groups } = identityGroups(dataset);
  if (names.length > 1) return { names, unitOf: groups };
  throw new TwingradError(
    "BAD_INPUT",
    `cannot hold out whole groups: all ${dataset.identities.length} identities are in one; folders of identities were expected, as GROUP/IDENTITY`,
  );
}
