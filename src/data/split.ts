// Splits identities into a training part and a held-out part for evaluation; no identity is in both.
import { TwingradError } from "../errors.ts";
import { checkOptions } from "../options.ts";
import { type Dataset, type Item, identityGroups, subset } from "./dataset.ts";
import { Random, streams } from "./random.ts";

/** Fold `number`, from 1, of `of` folds of nearly equal size; every identity is in exactly one. */
export interface Fold {
  /** From 1. */
  readonly number: number;
  /** How many folds there are. */
  readonly of: number;
}

/** How a dataset is divided by identity. */
export interface Split {
  /** The fraction to hold out; `fold` takes precedence. */
  readonly fraction: number;
  /** The fold to hold out instead, for cross-validation: one run for each fold evaluates every identity once. */
  readonly fold?: Fold;
  /** Seed of the random split. */
  readonly seed: number;
  /**
   * Holds out whole groups (`identityGroups`), so that no identity of a held-out group is trained on.
   * @default false
   */
  readonly wholeGroups?: boolean;
}

/** A dataset in two parts without a common identity. */
export interface Divided<I extends Item = Item> {
  /** The identities to train on. */
  readonly training: Dataset<I>;
  /** The held-out identities, to evaluate on. */
  readonly heldOut: Dataset<I>;
}

/**
 * Splits by identity, or by group of identities. A fraction holds out at least two identities, or one group. The split
 * depends on the seed and on the set of names, not on their order.
 * @throws BAD_INPUT when either part would have fewer than two identities, for an invalid fold, and for `wholeGroups`
 * with a single group.
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
      ? "there can be at most as many folds as there are identities or groups"
      : "the fraction must lie between 0 and 1";
    throw new TwingradError(
      "BAD_INPUT",
      `Cannot hold out ${what} of ${whole}${dataset.identities.length} identities: ${expected}, and each side needs at least 2 identities`,
    );
  }
  return { training: subset(dataset, training), heldOut: subset(dataset, heldOut) };
}

export const isFold = ({ number, of }: Fold): boolean =>
  Number.isInteger(number) && Number.isInteger(of) && of >= 2 && number >= 1 && number <= of;

/** Where part `n` of `count` ends. */
const edge = ({ of }: Fold, n: number, count: number) => Math.floor((n * count) / of);

interface Units {
  readonly names: readonly string[];
  /** For each identity the index of its unit. */
  readonly unitOf: ArrayLike<number>;
}

const identityUnits = ({ identities }: Dataset): Units => ({ names: identities, unitOf: identities.map((_, i) => i) });

function groupUnits(dataset: Dataset): Units {
  const { names, groups } = identityGroups(dataset);
  if (names.length > 1) return { names, unitOf: groups };
  throw new TwingradError(
    "BAD_INPUT",
    `Cannot hold out whole groups: all ${dataset.identities.length} identities are in one group; expected folders GROUP/IDENTITY`,
  );
}
