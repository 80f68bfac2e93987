// Groups of pictures: recording sessions, cameras or days, parsed from their names. A network that is trained and
// tested on the same groups may recognize their light instead of the identities; testing on other groups shows whether
// it does.
import { TwingradError } from "../errors.ts";
import { changed, type Dataset, type Item } from "./dataset.ts";
import { byNaturalOrder } from "./naturalOrder.ts";
import { Random, streams } from "./random.ts";
import { type Divided, isFold, type Split } from "./split.ts";

/**
 * The same pictures, each with its group.
 * @param rule a regular expression, whose first capture group in a picture's name is the name of its group; or the
 * number of folders above the picture, 1 for its own folder.
 * @param folder a prefix of the names that the rule does not see.
 * @throws BAD_INPUT for an invalid regular expression, and for a picture that does not match it.
 */
export function grouped<I extends Item>(dataset: Dataset<I>, rule: string, folder = ""): Dataset<I> {
  const groupOf = groupRule(rule);
  const before = folder === "" ? "" : `${folder.replace(/\/+$/, "")}/`;
  const items = dataset.items.map((item) => {
    const name = item.name.startsWith(before) ? item.name.slice(before.length) : item.name;
    const group = groupOf(name);
    if (group === undefined)
      throw new TwingradError("BAD_INPUT", `${item.name}: this name does not match --group-by ${rule}`);
    return changed(item, { group });
  });
  return { identities: dataset.identities, items };
}

/** @throws BAD_INPUT */
export function groupRule(rule: string): (name: string) => string | undefined {
  if (/^[1-9]$/.test(rule)) return (name) => name.split("/").at(-1 - Number(rule));
  let expression: RegExp;
  try {
    expression = new RegExp(rule);
    if (new RegExp(`${rule}|`).exec("")!.length < 2)
      throw new Error("missing capture group: put the part that names the group in ( )");
  } catch (error) {
    throw new TwingradError("BAD_INPUT", `Invalid --group-by ${rule}: ${(error as Error).message}`);
  }
  return (name) => expression.exec(name)?.[1];
}

/** The names of all groups in natural order; empty where pictures have no groups. */
export function groupsOf({ items }: Dataset): string[] {
  return [...new Set(items.flatMap(({ group }) => (group === undefined ? [] : [group])))].sort(byNaturalOrder);
}

/** The pictures that `keep` accepts, with their identities. */
export function pictured<I extends Item>(dataset: Dataset<I>, keep: (item: I) => boolean): Dataset<I> {
  const kept = dataset.items.filter(keep);
  const present = [...new Set(kept.map(({ identity }) => identity))].sort((a, b) => a - b);
  const renumbered = new Map(present.map((identity, position) => [identity, position]));
  return {
    identities: present.map((identity) => dataset.identities[identity]),
    items: kept.map((item) => changed(item, { identity: renumbered.get(item.identity)! })),
  };
}

/**
 * Splits by group: no group is in both parts, but an identity may be. Folds follow the order of the groups' names; a
 * fraction is drawn at random by the seed.
 * @throws BAD_INPUT where there are fewer groups than parts, or a part would have fewer than two identities.
 */
export function splitGroups<I extends Item>(dataset: Dataset<I>, { fraction, fold, seed }: Split): Divided<I> {
  const names = groupsOf(dataset);
  const edge = (n: number) => Math.floor((n * names.length) / fold!.of);
  const held = new Set(
    fold
      ? names.slice(edge(fold.number - 1), edge(fold.number))
      : new Random(seed, streams.split).shuffle([...names]).slice(0, Math.max(1, Math.round(fraction * names.length))),
  );
  const possible = fold ? isFold(fold) && fold.of <= names.length : names.length > 1 && fraction > 0 && fraction < 1;
  const heldOut = pictured(dataset, ({ group }) => held.has(group!));
  const training = pictured(dataset, ({ group }) => !held.has(group!));
  if (possible && heldOut.identities.length >= 2 && training.identities.length >= 2) return { training, heldOut };
  const what = fold ? `part ${fold.number}/${fold.of}` : `${fraction}`;
  const some = names.slice(0, 5).join(", ");
  throw new TwingradError(
    "BAD_INPUT",
    `Cannot hold out ${what} of the ${names.length} groups ${some}${names.length > 5 ? ", ..." : ""}: each side needs at least one group and two identities`,
  );
}
