// The memory layout of the rows that an embedding is compared with, and the encoding of scores.
import type { Storage } from "../../tape/lowering/storage.ts";

/** Rows are stored in blocks of this many: in a block, the first vec4 of each row, then the second, and so on. */
export const rowBlock = 256;
/** Candidates per selection; at most a quarter as many can be kept. */
export const chunk = 4096;
export const mostNearest = chunk / 4;

/** Rows in one binding: [blocks, vectors, rowBlock] vec4f; the first `count` rows are filled. */
export interface RowPart {
  readonly storage: Storage;
  readonly count: number;
  /** The index of its first row. */
  readonly first: number;
}

/** Number of vec4s in a row of `length` values. */
export const vectorsOf = (length: number) => Math.ceil(length / 4);

/** The row index of padding. */
export const noRow = 0xffffffff;

/** Decodes a score from bits that ascend with it. */
export function scoreOf(ascending: number): number {
  word[0] = ascending >= 0x80000000 ? ascending - 0x80000000 : ~ascending;
  return float[0];
}
const word = new Uint32Array(1);
const float = new Float32Array(word.buffer);
