// Checks options from plain JavaScript: an unknown name would be ignored silently.
import { TwingradError } from "./errors.ts";

/** Every name of an options type, and no other: the compiler checks the list against the type. */
export type Known<Options> = { readonly [Name in keyof Required<Options>]: 1 };

/**
 * @param who the function's name, for the message.
 * @throws BAD_INPUT if the options are missing, or one has an unknown name.
 */
export function checkOptions<Options extends object>(who: string, options: Options, known: Known<Options>): void {
  const names = Object.keys(known);
  const bad = (what: string) => new TwingradError("BAD_INPUT", `${who}: ${what}.`);
  if (typeof options !== "object" || options === null)
    throw bad(`the options are ${options}; expected an object with ${names.join(", ")}`);
  const stranger = Object.keys(options).find((name) => !Object.hasOwn(known, name));
  if (stranger === undefined) return;
  const near = nearest(stranger, names);
  const meant = near === undefined ? `expected ${names.join(", ")}` : `did you mean "${near}"?`;
  throw new TwingradError("BAD_INPUT", `${who}: unknown option "${stranger}"; ${meant}`);
}

/** The most likely intended name: the nearest within a few letter changes. */
export function nearest(text: string, names: readonly string[]): string | undefined {
  const [first] = names
    .map((name) => ({ name, changes: changesBetween(text.toLowerCase(), name.toLowerCase()) }))
    .filter(({ name, changes }) => changes <= Math.max(text.length, name.length) / 3)
    .sort((a, b) => a.changes - b.changes);
  return first?.name;
}

/** The number of letters to insert, remove or replace (V. Levenshtein 1966). */
function changesBetween(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 0; i < a.length; i++) {
    const next = [i + 1];
    for (let j = 0; j < b.length; j++) next.push(Math.min(next[j] + 1, row[j + 1] + 1, row[j] + Number(a[i] !== b[j])));
    row = next;
  }
  return row[b.length];
}

/** The type of a value, for messages: Uint8ClampedArray, Array, string. */
export function typeName(value: unknown): string {
  return typeof value === "object" && value !== null ? (value.constructor?.name ?? "object") : typeof value;
}
