// What tuning found, in the form that is kept: with all that it depends on, so that a table is never taken for another's.
import { shaders, version } from "twingrad:build";
import type { AdapterInfo } from "./device.ts";

/** Of the package. */
export { version };

export interface Choice {
  readonly candidate: string;
  /** Of each candidate when it was timed; null where it is refused. */
  readonly microseconds: Readonly<Record<string, number | null>>;
  /** How far each one's results were from the portable kernel's, in terms of the tolerance; null where it gave none. */
  readonly differences?: Readonly<Record<string, number | null>>;
  /** Why those are never taken that compute something else, or do not run on this adapter. */
  readonly refused?: Readonly<Record<string, string>>;
}

/** Whether the table says of its candidate that it was held to the portable kernel and agreed. */
export const isProven = ({ candidate, differences, refused }: Choice): boolean => {
  const difference = differences?.[candidate];
  return typeof difference === "number" && difference <= 1 && refused?.[candidate] === undefined;
};

/** What tuning found on one adapter: for each choice among kernels the fastest candidate, and how long each took. */
export interface TuningTable {
  /** 1: its candidates were not compared, so that it is ignored. */
  readonly format: 1 | 2;
  /** Vendor, architecture and description of the adapter, the driver's version among them where it is told. */
  readonly adapter: string;
  /** Of the package. */
  readonly version: string;
  /** A digest of the kernels' sources. */
  readonly shaders: string;
  /** By what is computed, with its extents. */
  readonly choices: Readonly<Record<string, Choice>>;
}

/** Where tables are kept: a folder, a browser's database. Both may throw; then tuning goes on without. */
export interface TuningStore {
  /** The table that was saved under this key, if there is one. */
  load(key: string): Promise<TuningTable | undefined>;
  /** Keeps a table under this key. */
  save(key: string, table: TuningTable): Promise<void>;
}

const format = 2;

export const nameOf = ({ vendor, architecture, description }: AdapterInfo): string =>
  [vendor, architecture, description].filter((text) => text).join(" ");

/** What a table is kept under: one for each adapter, version of the package and state of its kernels. */
export const tableKey = (adapter: AdapterInfo): string => `${nameOf(adapter)}; twingrad ${version}; ${shaders}`;

export function tableOf(adapter: AdapterInfo, choices: ReadonlyMap<string, Choice>): TuningTable {
  const sorted = [...choices].sort(([a], [b]) => (a < b ? -1 : 1));
  return { format, adapter: nameOf(adapter), version, shaders, choices: Object.fromEntries(sorted) };
}

/** Why a table says nothing about this adapter and these kernels; undefined where it does. */
export function mismatch(table: TuningTable, adapter: AdapterInfo): string | undefined {
  if (table.format !== format) return `of format ${table.format}, not ${format}`;
  if (table.adapter !== nameOf(adapter)) return `of the adapter "${table.adapter}", not of "${nameOf(adapter)}"`;
  if (table.version !== version) return `of twingrad ${table.version}, not of ${version}`;
  if (table.shaders !== shaders) return "of other kernels than these";
  return undefined;
}
