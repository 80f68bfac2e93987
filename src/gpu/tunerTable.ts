// The stored form of tuning results, with everything they depend on, so that a table is never used for another adapter
// or version.
import { shaders, version } from "twingrad:build";
import type { AdapterInfo } from "./device.ts";

/** The package's version. */
export { version };

export interface Choice {
  readonly candidate: string;
  /** Time of each candidate; null if it is refused. */
  readonly microseconds: Readonly<Record<string, number | null>>;
  /** Each candidate's difference from the portable kernel, relative to the tolerance; null if it produced no result. */
  readonly differences?: Readonly<Record<string, number | null>>;
  /** Why a candidate is never used: its results differ, or it does not run on this adapter. */
  readonly refused?: Readonly<Record<string, string>>;
}

/** Whether the table says that its candidate was compared with the portable kernel and agreed. */
export const isProven = ({ candidate, differences, refused }: Choice): boolean => {
  const difference = differences?.[candidate];
  return typeof difference === "number" && difference <= 1 && refused?.[candidate] === undefined;
};

/** What tuning found on one adapter: for each choice among kernels the fastest candidate, and how long each took. */
export interface TuningTable {
  /** Format 1 did not compare candidates, so it is ignored. */
  readonly format: 1 | 2;
  /** Vendor, architecture and description of the adapter, with the driver's version if it is known. */
  readonly adapter: string;
  /** The package's version. */
  readonly version: string;
  /** A digest of the kernel sources. */
  readonly shaders: string;
  /** By what is computed, with its extents. */
  readonly choices: Readonly<Record<string, Choice>>;
}

/**
 * Where tables are stored: a folder, a browser's database. Both functions may throw; tuning then continues without
 * storage.
 */
export interface TuningStore {
  /** The table that was saved under this key, if there is one. */
  load(key: string): Promise<TuningTable | undefined>;
  /** Saves a table under this key. */
  save(key: string, table: TuningTable): Promise<void>;
}

const format = 2;

export const nameOf = ({ vendor, architecture, description }: AdapterInfo): string =>
  [vendor, architecture, description].filter((text) => text).join(" ");

/** The storage key of a table: one for each adapter, package version and digest of the kernels. */
export const tableKey = (adapter: AdapterInfo): string => `${nameOf(adapter)}; twingrad ${version}; ${shaders}`;

export function tableOf(adapter: AdapterInfo, choices: ReadonlyMap<string, Choice>): TuningTable {
  const sorted = [...choices].sort(([a], [b]) => (a < b ? -1 : 1));
  return { format, adapter: nameOf(adapter), version, shaders, choices: Object.fromEntries(sorted) };
}

/** Why a table does not apply to this adapter and these kernels; undefined if it does. */
export function mismatch(table: TuningTable, adapter: AdapterInfo): string | undefined {
  if (table.format !== format) return `of format ${table.format}; expected ${format}`;
  if (table.adapter !== nameOf(adapter)) return `for the adapter "${table.adapter}"; expected "${nameOf(adapter)}"`;
  if (table.version !== version) return `of twingrad ${table.version}; expected ${version}`;
  if (table.shaders !== shaders) return "for other versions of the kernels";
  return undefined;
}
