// The list of people, and what can be rebuilt of a damaged one.
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
