// The list of people: its shape, what the page shows of it, and what can be rebuilt of a damaged one.
import type { PersonSummary } from "../../messages.ts";
import { count } from "../../page/words.ts";
import { hasFields, isListOf, isObject, isText, isYesOrNo, readablePart } from "../shapes.ts";

export interface Person {
  readonly id: string;
  name: string;
  heldOut: boolean;
  /** Set where it is not known who they show: pictures that a damaged list no longer names. Nothing trains on them. */
  unsorted?: true;
  pictures: { readonly id: string; readonly name: string }[];
}

export interface StoredPeople {
  readonly version: 1;
  readonly people: Person[];
}

/** Those whose pictures may be trained on. */
export const withoutUnsorted = <P extends { readonly unsorted?: boolean }>(people: readonly P[]): P[] =>
  people.filter(({ unsorted }) => !unsorted);

const isPerson = (value: unknown): value is Person =>
  hasFields<Person>(value, {
    id: isText,
    name: isText,
    heldOut: isYesOrNo,
    unsorted: (unsorted) => unsorted === undefined || unsorted === true,
    pictures: isListOf((picture) => hasFields<Person["pictures"][0]>(picture, { id: isText, name: isText })),
  });

export const isPeople = (value: unknown): value is Person[] => Array.isArray(value) && value.every(isPerson);

export const isStoredPeople = (value: unknown): value is StoredPeople => isObject(value) && isPeople(value.people);

/** The people that a damaged list still has: all valid entries, or those before the damage. */
export function peopleWithin(text: string): Person[] {
  const list = readablePart(text, "]}", "]}");
  return isObject(list) && Array.isArray(list.people) ? list.people.filter(isPerson) : [];
}

/**
 * Gives each stored picture to one person.
 * @param lists of people, the newest first: it counts where they differ.
 * @returns also the pictures that no list names.
 */
export function rebuilt(
  lists: readonly (readonly Person[])[],
  stored: readonly string[],
): { people: Person[]; rest: string[] } {
  const left = new Set(stored);
  const people: Person[] = [];
  for (const person of lists.flat()) {
    const pictures = person.pictures.filter(({ id }) => left.delete(id));
    const known = people.find(({ id, name }) => id === person.id || name === person.name);
    if (known) known.pictures.push(...pictures);
    else if (pictures.length > 0) people.push({ ...person, pictures });
  }
  return { people, rest: [...left] };
}

/** Pictures whose people are unknown after the list was damaged. */
export function unsortedPeople(pictures: readonly string[]): Person {
  return {
    id: `unsorted-${Date.now().toString(36)}`,
    name: "Recovered pictures",
    heldOut: false,
    unsorted: true,
    pictures: pictures.map((id, n) => ({ id, name: `picture ${n + 1}` })),
  };
}

/** What became of a damaged list, for the user. */
export function repairOf(people: readonly Person[]): string {
  const sorted = withoutUnsorted(people);
  const picturesOf = (some: readonly Person[]) => some.reduce((sum, { pictures }) => sum + pictures.length, 0);
  const rest = picturesOf(people) - picturesOf(sorted);
  const unknown = `${count(rest, "picture")} whose person is not known ${rest === 1 ? "is" : "are"} under “Recovered pictures”: add their folders again to sort them.`;
  return `The list of your people was damaged. No picture is lost: ${count(picturesOf(sorted), "picture")} of ${count(sorted.length, "person", "people")} were found again.${rest > 0 ? ` ${unknown}` : ""}`;
}

const shownCovers = 6;

/** What the page shows of a person. */
export function summaryOf({ id, name, heldOut, unsorted, pictures }: Person): PersonSummary {
  const problem = unsorted
    ? `${count(pictures.length, "picture")}, not used for training.`
    : pictures.length === 1
      ? "Only one picture: training needs at least two."
      : null;
  const covers = pictures.slice(0, shownCovers).map((picture) => picture.id);
  return { id, name, heldOut, unsorted: unsorted === true, pictures: pictures.length, covers, problem };
}
