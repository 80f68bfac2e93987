// The pair lists of Labeled Faces in the Wild (G. Huang et al. 2007; http://vis-www.cs.umass.edu/lfw/README.txt). The
// first line gives the number of sets and the number of pairs of each kind in a set (pairs.txt: 10 and 300), or only
// the latter for one set (pairsDevTrain.txt). Each set lists its genuine pairs (name, number, number), then its
// impostor pairs (name, number, name, number). Picture 7 of Ada_Lovelace is Ada_Lovelace/Ada_Lovelace_0007.jpg.
import { TwingradError } from "../../errors.ts";
import type { Dataset, Item } from "../dataset.ts";
import { readableName, shown } from "../names.ts";
import type { EvaluationPair } from "../sampling/evaluationPairs.ts";

export interface NumberedPicture {
  name: string;
  number: number;
}

export interface ListedPair {
  left: NumberedPicture;
  right: NumberedPicture;
  same: boolean;
  /** From 0. */
  set: number;
}

/**
 * @throws CORRUPT_FILE with the line number, where the list is invalid or does not have the announced number of pairs.
 */
export function parsePairs(text: string): ListedPair[] {
  const lines = text.split(/\r\n|\r|\n/);
  while (lines.length > 0 && lines[lines.length - 1].trim() === "") lines.pop();
  const [first = "", ...rest] = lines;
  const header = fields(first).map(Number);
  const [sets, ofKind] = header.length === 1 ? [1, header[0]] : header;
  if (header.length > 2 || ![sets, ofKind].every((value) => Number.isSafeInteger(value) && value > 0)) {
    throw fault(1, `expected the number of sets and of pairs of each kind, not "${first.slice(0, 100)}"`);
  }
  if (rest.length !== 2 * sets * ofKind) {
    throw fault(
      lines.length,
      `expected ${2 * sets * ofKind} lines for ${sets} sets of ${ofKind} pairs of each kind; ${rest.length} follow`,
    );
  }
  return rest.map((line, index) => {
    const same = index % (2 * ofKind) < ofKind;
    const parts = fields(line);
    if (parts.length !== (same ? 3 : 4)) {
      const expected = same ? "name, number, number" : "name, number, name, number";
      throw fault(index + 2, `expected ${expected}, not "${line.slice(0, 100)}"`);
    }
    const [name, number, ...others] = parts.map(readableName);
    const [otherName, otherNumber] = same ? [name, others[0]] : others;
    return {
      left: { name, number: positive(number, index + 2) },
      right: { name: otherName, number: positive(otherNumber, index + 2) },
      same,
      set: Math.floor(index / (2 * ofKind)),
    };
  });
}

/** Fields are separated by tabs, since names may contain spaces; in a line without tabs, by spaces. */
const fields = (line: string) => line.trim().split(line.includes("\t") ? "\t" : /\s+/);

function positive(text: string, line: number): number {
  if (!/^\d{1,9}$/.test(text) || Number(text) < 1) {
    throw fault(line, `expected the number of a picture, not "${text.slice(0, 100)}"`);
  }
  return Number(text);
}

const fault = (line: number, reason: string) => new TwingradError("CORRUPT_FILE", `line ${line}: ${reason}`);

/**
 * The pairs as indices into a dataset. A name is an identity or its last part (`lfw/Ada_Lovelace`); a number is the one
 * at the end of the picture's file name (`Ada_Lovelace_0007.jpg`, `7.pgm`).
 * @throws BAD_INPUT where pictures are missing, with their number and the first of them.
 */
export function findPairs(
  dataset: Dataset,
  pairs: readonly ListedPair[],
): { pairs: EvaluationPair[]; sets: Int32Array } {
  const positions = new Map<string, number>();
  for (const [index, item] of dataset.items.entries()) {
    const number = numberOf(item);
    if (number === undefined) continue;
    const identity = readableName(dataset.identities[item.identity]);
    for (const name of new Set([identity, identity.slice(identity.lastIndexOf("/") + 1)])) {
      const key = `${name}\t${number}`;
      if (!positions.has(key)) positions.set(key, index);
    }
  }
  const missing = new Set<string>();
  const find = ({ name, number }: NumberedPicture) => {
    const index = positions.get(`${name}\t${number}`);
    if (index === undefined) missing.add(`${name} ${number}`);
    return index ?? -1;
  };
  const found = pairs.map(({ left, right, same }) => ({ left: find(left), right: find(right), same }));
  if (missing.size > 0) {
    throw new TwingradError(
      "BAD_INPUT",
      `${missing.size} pictures of the pair list are missing; the first is ${shown([...missing][0])} (Ada 7 is the file Ada/Ada_0007.jpg or Ada/7.jpg).`,
    );
  }
  return { pairs: found, sets: Int32Array.from(pairs, (pair) => pair.set) };
}

function numberOf({ name }: Item): number | undefined {
  const digits = /(\d{1,9})\.[a-z]+$/i.exec(name)?.[1];
  return digits === undefined ? undefined : Number(digits);
}
