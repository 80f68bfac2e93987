// How the rows of a matrix lie on the GPU that one embedding is compared with, and how scores come back.
import type { Storage } from "../../tape/lowering/storage.ts";

/** Rows lie in blocks of so many: block by block the first vec4 of each of its rows, then the second, and so on. */
export const rowBlock = 256;
/** Of which the nearest are found together: at most half as many can be kept. */
export const chunk = 4096;
export const mostNearest = chunk / 4;

/** Rows that one binding holds: [blocks, vectors, rowBlock] vec4f, of which the first `count` rows are filled. */
export interface RowPart {
  readonly storage: Storage;
  readonly count: number;
  /** The number of its first row. */
  readonly first: number;
}

/** vec4s of a row of so many values. */
export const vectorsOf = (length: number) => Math.ceil(length / 4);

/** The row's number of a place for which there was no row. */
export const noRow = 0xffffffff;

/** The score behind its turned bits. */
export function scoreOf(ascending: number): number {
  word[0] = ascending >= 0x80000000 ? ascending - 0x80000000 : ~ascending;
  return float[0];
}
const word = new Uint32Array(1);
const float = new Float32Array(word.buffer);
