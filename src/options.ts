// Checks options from plain JavaScript: an unknown name would be ignored silently.
import { TwingradError } from "./errors.ts";

/** The kind of an option: 1 if it is checked elsewhere; a number is not NaN, a finite number not infinite either. */
type Kind = 1 | "finite number" | "number" | "string" | "boolean" | "function";

/** Every name of an options type, and no other: the compiler checks the list against the type. */
export type Known<Options> = { readonly [Name in keyof Required<Options>]: Kind };

/**
 * Renamed options of training runs, by their former names, which command lines, settings and saved runs may still have.
 */
export const renamedOptions: ReadonlyMap<string, string> = new Map([
  ["peoplePerBatch", "identitiesPerBatch"],
  ["picturesPerPerson", "picturesPerIdentity"],
  ["turnedIdentities", "rotatedIdentities"],
]);

/** The options under their present names. @param tell called for each former name. */
export function withPresentNames<T extends object>(options: T, tell?: (former: string, present: string) => void): T {
  const renamed = Object.entries(options).map(([name, value]) => {
    const present = renamedOptions.get(name);
    if (present !== undefined) tell?.(name, present);
    return [present ?? name, value];
  });
  return Object.fromEntries(renamed) as T;
}

/**
 * @param who the function's name, for the message.
 * @throws BAD_INPUT if the options are missing, or one has an unknown name or another kind.
 */
export function checkOptions<Options extends object>(who: string, options: Options, known: Known<Options>): void {
  const names = Object.keys(known);
  const all = names.join(", ");
  const bad = (what: string) => new TwingradError("BAD_INPUT", `${who}: ${what}`);
  if (typeof options !== "object" || options === null)
    throw bad(`the options are ${options}; expected an object with ${all}.`);
  const unknown = Object.keys(options).find((name) => !Object.hasOwn(known, name));
  const near = unknown && nearest(unknown, names);
  const meant = !near ? `expected ${all}` : `did you mean "${near}"?`;
  if (unknown !== undefined) throw bad(`unknown option "${unknown}"; ${meant}`);
  for (const [name, kind] of Object.entries<Kind>(known)) {
    const value: unknown = options[name as keyof Options];
    if (value !== undefined && !isKind(value, kind))
      throw bad(`${name} is ${typeof value === "string" ? `"${value}"` : value}; expected a ${kind}`);
  }
}

function isKind(value: unknown, kind: Kind): boolean {
  if (kind === "finite number") return Number.isFinite(value);
  return kind === 1 || (typeof value === kind && !Number.isNaN(value));
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

/** The type of a value, for messages: Uint8ClampedArray, Array, String; undefined for undefined and null. */
export function typeName(value: unknown): string {
  return `${(value as object | null)?.constructor?.name}`;
}

/** Numbers of any kind, which are rounded to float32: an array of them, or a typed array; not text, and no bigint. */
export function areNumbers(values: unknown): boolean {
  // `findIndex` sees the holes of a list, which `every` passes over.
  if (Array.isArray(values)) return values.findIndex((value) => typeof value !== "number") < 0;
  return /^(Uint|Int|Float|Buffer)/.test(typeName(values));
}

/** @param reader a function of twingrad/node that takes a path. @throws BAD_INPUT for anything but bytes, such as a path. */
export function expectBytes(what: string, value: unknown, reader?: string): asserts value is Uint8Array {
  if (value instanceof Uint8Array) return;
  const instead = reader ? ` (\`${reader}\` of twingrad/node takes a path)` : "";
  throw new TwingradError(
    "BAD_INPUT",
    `${what} is a ${typeName(value)}; expected the bytes of its file, a Uint8Array${instead}.`,
  );
}

/** @throws BAD_INPUT for values that are not numbers: they would become NaN, or be misread. */
export function checkNumbers(what: string, values: unknown): void {
  if (areNumbers(values)) return;
  throw new TwingradError("BAD_INPUT", `${what}: expected numbers; got ${typeName(values)}.`);
}
