// What a figure promises: whether the pictures that a model is tested on are of recording sessions that it was trained on.
import type { Dataset } from "../../../index.ts";
import { groupsOf } from "../../../internal.ts";

export interface Sessions {
  /** Groups that the model was trained on, null where its file tells of none. */
  readonly trained: readonly string[] | null;
  /** Groups of the pictures that it is tested on; empty where they are not told apart. */
  readonly tested: readonly string[];
  readonly shared: readonly string[];
  /** In words. */
  readonly promise: string;
}

export function sessionsOf(dataset: Dataset, trained: readonly string[] | undefined): Sessions {
  const tested = groupsOf(dataset);
  const shared = tested.filter((group) => trained?.includes(group));
  return { trained: trained ?? null, tested, shared, promise: promiseOf(tested, trained, shared) };
}

function promiseOf(
  tested: readonly string[],
  trained: readonly string[] | undefined,
  shared: readonly string[],
): string {
  if (!trained || tested.length === 0) {
    return "Sessions are not told apart (--group-by in train): where test and training pictures are of the same ones, another day, room or camera may have many times these errors.";
  }
  if (shared.length > 0) {
    return `Groups ${shown(shared)} were trained on, too: these figures promise nothing for another session.`;
  }
  return `Tested on groups ${shown(tested)}, trained on ${shown(trained)}: what to expect of another session of this kind; not of other cameras, places, attacks or people than those in the data.`;
}

const shown = (names: readonly string[]) =>
  names.length > 5 ? `${names.slice(0, 5).join(", ")}, ...` : names.join(", ");

/** Says so before anything is computed. */
export function warnOfShared({ items }: Dataset, { shared }: Sessions, warn: (text: string) => void): void {
  if (shared.length === 0) return;
  const count = items.filter(({ group }) => group !== undefined && shared.includes(group)).length;
  warn(
    `${count} of ${items.length} pictures are of groups that this model was trained on (${shown(shared)}): the figures flatter it`,
  );
}
