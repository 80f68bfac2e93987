// Tuning tables in a page or worker, stored in IndexedDB for the page's origin.
import { createStore, get, update } from "idb-keyval";
import { mergeTuning, parseTuningTable } from "../formats/tuningTable.ts";
import type { TuningStore } from "../gpu/tunerTable.ts";

/**
 * Stores tuning tables in an IndexedDB database: `openDevice({ tuning: { store: pageTuningStore() } })`. If the browser
 * stores nothing (a private window), every start times the kernels again, with a warning.
 * @example
 * ```ts
 * import { pageTuningStore } from "twingrad/web";
 *
 * const device = await openDevice({ tuning: { store: pageTuningStore() } });
 * ```
 */
export function pageTuningStore(database = "twingrad-tuning"): TuningStore {
  const store = createStore(database, "tables");
  return {
    async load(key) {
      const kept = await get(key, store);
      return kept === undefined ? undefined : parseTuningTable(kept);
    },
    // In one transaction, since another tab may have extended the table meanwhile.
    save: (key, table) => update(key, (stored) => mergeTuning(stored, table), store),
  };
}
