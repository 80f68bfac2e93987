// Recording sessions, cameras, days: what pictures have in common beside who is on them, told from their names. A network that is
// trained and tested on the same ones may know them by their light; tested on others it has to do without.
import { TwingradError } from "../errors.ts";
import { changed, type Dataset, type Item } from "./dataset.ts";
import { byNaturalOrder } from "./naturalOrder.ts";
import { Random, streams } from "./random.ts";
import { type Divided, isFold, type Split } from "./split.ts";

/**
 * The same pictures, each with its group.
 * @param rule a regular expression, whose first capture group in a picture's name is its group's name; or a number of folders
 * above the picture, 1 for the one that it lies in.
 * @param folder what stands in front of the names and is no part of them.
 * @throws BAD_INPUT for an expression that is none, and for a picture that it does not match.
 */
export function grouped<I extends Item>(dataset: Dataset<I>, rule: string, folder = ""): Dataset<I> {
  const groupOf = groupRule(rule);
  const before = folder === "" ? "" : `${folder.replace(/\/+$/, "")}/`;
  const items = dataset.items.map((item) => {
    const name = item.name.startsWith(before) ? item.name.slice(before.length) : item.name;
    const group = groupOf(name);
    if (group === undefined)
      throw new TwingradError("BAD_INPUT", `${item.name}: --group-by ${rule} finds no group in this name`);
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
      throw new Error("it has no capture group: put what names the group in ( )");
  } catch (error) {
    throw new TwingradError("BAD_INPUT", `--group-by ${rule}: ${(error as Error).message}`);
  }
  return (name) => expression.exec(name)?.[1];
}

/** The names of the groups that there are, in their natural order; none where nobody told. */
export function groupsOf({ items }: Dataset): string[] {
  return [...new Set(items.flatMap(({ group }) => (group === undefined ? [] : [group])))].sort(byNaturalOrder);
}

/** The pictures for which `keep` holds, with the identities that are on them. */
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
 * Splits by group, so that no group is in both parts; an identity may be. Folds follow the order of the groups' names, a share
 * is drawn by the seed.
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
    `cannot hold out ${what} of the ${names.length} groups ${some}${names.length > 5 ? ", ..." : ""}: at least one group and two identities must be on either side`,
  );
}
