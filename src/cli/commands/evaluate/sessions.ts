// Whether the test pictures come from recording sessions that the model was trained on: what its metrics can promise.
import type { Dataset } from "../../../index.ts";
import { groupsOf } from "../../../internal.ts";

export interface Sessions {
  /** Groups that the model was trained on; null if its file lists none. */
  readonly trained: readonly string[] | null;
  /** Groups of the test pictures; empty without a grouping rule. */
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
    return "Recording sessions are unknown (see train --group-by): if training and test share sessions, errors on another day, room or camera may be many times higher.";
  }
  if (shared.length > 0) {
    return `Groups ${shown(shared)} are also in the training data: these metrics do not apply to other sessions.`;
  }
  return `Tested on groups ${shown(tested)}, trained on ${shown(trained)}: these metrics apply to other sessions of this kind, not to other cameras, places, attacks or people.`;
}

const shown = (names: readonly string[]) =>
  names.length > 5 ? `${names.slice(0, 5).join(", ")}, ...` : names.join(", ");

/** Warns before anything is computed. */
export function warnOfShared({ items }: Dataset, { shared }: Sessions, warn: (text: string) => void): void {
  if (shared.length === 0) return;
  const count = items.filter(({ group }) => group !== undefined && shared.includes(group)).length;
  warn(
    `${count} of ${items.length} pictures are from groups that this model was trained on (${shown(shared)}): the metrics are too optimistic`,
  );
}
