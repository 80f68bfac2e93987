// Exhaustive search: the distance of one embedding to every row of a matrix that stays on the GPU, and the k nearest
// rows.
import euclideanShader from "../../shaders/match.euclidean.wgsl";
import selectShader from "../../shaders/match.select.wgsl";
import weightedShader from "../../shaders/match.weighted.wgsl";
import { ShapeError } from "../errors.ts";
import type { Operation } from "../tape/graph.ts";
import { tapeOf } from "../tape/tape.ts";
import type { Tensor } from "../tape/tensor.ts";
import { chunk, mostNearest, type RowPart, rowBlock, vectorsOf } from "./kernels/rowLayout.ts";

/**
 * For each part the candidates of its rows, [blocks * rowBlock, 2] u32: the score as bits that ascend with it
 * (`scoreOf`), and the row's index. The score is the squared Euclidean distance, or with `weights` the sum of
 * weights[d] |probe[d] - row[d]|. `probe` and `weights` are [vectors * 4], padded with zeros.
 */
export function rowScores(probe: Tensor, parts: readonly RowPart[], weights?: Tensor): Tensor[] {
  const tape = tapeOf("rowScores", probe, weights);
  if (probe.size % 4 !== 0 || (weights && weights.size !== probe.size)) {
    throw new ShapeError(
      "rowScores",
      `"${probe.name}" has ${probe.size} values; expected a multiple of 4, and as many weights.`,
    );
  }
  return parts.map((part) => {
    const shape = [Math.ceil(part.count / rowBlock) * rowBlock, 2];
    const inputs = weights ? [probe, weights] : [probe];
    return tape.recordAll(scoresOperation, inputs, { part }, [{ shape, name: "candidates", dtype: "u32" }])[0];
  });
}

const scoresOperation: Operation<{ readonly part: RowPart }> = {
  name: "rowScores",
  lower({ inputs: [probe, weights], outputs: [candidates], options: { part } }, to) {
    const { storage: rows, count: COUNT, first: FIRST } = part;
    const shape = { VECTORS: vectorsOf(probe.size), COUNT, FIRST };
    const groups = [Math.ceil(COUNT / rowBlock)] as const;
    if (weights) to.launch(weightedShader, { probe, weights, rows, candidates }, shape, groups);
    else to.launch(euclideanShader, { probe, rows, candidates }, shape, groups);
  },
};

/**
 * The k rows with the lowest scores, as candidates in ascending order, [k, 2] u32; among equal scores the lower index
 * is first.
 */
export function nearestRows(probe: Tensor, parts: readonly RowPart[], k: number, weights?: Tensor): Tensor {
  if (!Number.isInteger(k) || k < 1 || k > mostNearest) {
    throw new ShapeError("nearestRows", `k is ${k}; expected an integer from 1 to ${mostNearest}.`);
  }
  const tape = tapeOf("nearestRows", probe);
  let lists: readonly Tensor[] = rowScores(probe, parts, weights);
  do {
    const kept = lists.reduce((sum, { shape: [count] }) => sum + Math.ceil(count / chunk), 0) * k;
    lists = tape.recordAll(selectOperation, lists, { k }, [{ shape: [kept, 2], name: "nearest", dtype: "u32" }]);
  } while (lists[0].shape[0] > k);
  return lists[0];
}

/** The k lowest scores of each chunk of each list, concatenated. */
const selectOperation: Operation<{ readonly k: number }> = {
  name: "nearestRows",
  lower({ inputs: lists, outputs: [kept], options: { k: K } }, to) {
    let out = 0;
    for (const candidates of lists) {
      const [COUNT] = candidates.shape;
      const chunks = Math.ceil(COUNT / chunk);
      to.launch(selectShader, { candidates, kept }, { K, COUNT, OUT: out }, [chunks]);
      out += chunks * K;
    }
  },
};
