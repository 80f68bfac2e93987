// Exhaustive search: the distance of one embedding to every row of a matrix that stays on the GPU, and the k nearest rows.
import euclideanShader from "../../shaders/match.euclidean.wgsl";
import selectShader from "../../shaders/match.select.wgsl";
import weightedShader from "../../shaders/match.weighted.wgsl";
import { ShapeError } from "../errors.ts";
import { tapeOf } from "../tape/tape.ts";
import type { Storage, Tensor } from "../tape/tensor.ts";

/** Rows lie in blocks of so many: block by block the first vec4 of each of its rows, then the second, and so on. */
export const rowBlock = 256;
/** Of which the nearest are found together: at most half as many can be kept. */
const chunk = 4096;
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

/**
 * For each part the candidates of its rows, [blocks * rowBlock, 2] u32: the score's bits, turned so that they ascend with it
 * (`scoreOf`), and the row's number. The score is the squared Euclidean distance, or with `weights` the sum of
 * weights[d] |probe[d] - row[d]|. `probe` and `weights` are [vectors * 4], filled up with zeros.
 */
export function rowScores(probe: Tensor, parts: readonly RowPart[], weights?: Tensor): Tensor[] {
  const tape = tapeOf("rowScores", probe, weights);
  const vectors = vectorsOf(probe.size);
  if (probe.size % 4 !== 0 || (weights && weights.size !== probe.size)) {
    throw new ShapeError(
      "rowScores",
      `"${probe.name}" has ${probe.size} values; expected whole vec4s, as of the weights.`,
    );
  }
  return parts.map(({ storage: rows, count, first }) => {
    const blocks = Math.ceil(count / rowBlock);
    const candidates = tape.temporary("candidates", [blocks * rowBlock, 2], "u32");
    const shape = { VECTORS: vectors, COUNT: count, FIRST: first };
    if (weights) tape.launch(weightedShader, { probe, weights, rows, candidates }, shape, [blocks]);
    else tape.launch(euclideanShader, { probe, rows, candidates }, shape, [blocks]);
    return candidates;
  });
}

/** The k rows of the least score, as candidates in ascending order, [k, 2] u32; of equal scores the lower row is first. */
export function nearestRows(probe: Tensor, parts: readonly RowPart[], k: number, weights?: Tensor): Tensor {
  if (!Number.isInteger(k) || k < 1 || k > mostNearest) {
    throw new ShapeError("nearestRows", `k is ${k}; expected a whole number from 1 to ${mostNearest}.`);
  }
  const tape = tapeOf("nearestRows", probe);
  let lists = rowScores(probe, parts, weights);
  do {
    const chunks = lists.map(({ shape: [count] }) => Math.ceil(count / chunk));
    const kept = tape.temporary("nearest", [chunks.reduce((sum, n) => sum + n) * k, 2], "u32");
    let out = 0;
    for (const [i, candidates] of lists.entries()) {
      const constants = { K: k, COUNT: candidates.shape[0], OUT: out };
      tape.launch(selectShader, { candidates, kept }, constants, [chunks[i]], { CHUNK: chunk });
      out += chunks[i] * k;
    }
    lists = [kept];
  } while (lists[0].shape[0] > k);
  return lists[0];
}

/** The row's number of a place for which there was no row. */
export const noRow = 0xffffffff;

/** The score behind its turned bits. */
export function scoreOf(ascending: number): number {
  word[0] = ascending >= 0x80000000 ? ascending - 0x80000000 : ~ascending;
  return float[0];
}
const word = new Uint32Array(1);
const float = new Float32Array(word.buffer);
