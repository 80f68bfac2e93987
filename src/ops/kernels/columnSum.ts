// Sums over the rows of a matrix, in levels: bias gradients, and the parts of filter gradients.
import shader from "../../../shaders/columnSum.forward.wgsl";
import subgroupsShader from "../../../shaders/gpu/columnSum.subgroups.wgsl";
import type { Operation } from "../../tape/graph.ts";
import type { Lowering } from "../../tape/lower.ts";
import { choose, keyOf } from "../../tape/lowering/choose.ts";
import { threads } from "../../tape/lowering/grid.ts";
import type { Tensor } from "../../tape/tensor.ts";
import { hasSubgroups, partsFor } from "./matrixTiles.ts";

/**
 * Sums the rows of x, read as [rows, size of shape], to a tensor of that shape. It only launches; the caller provides
 * the chain rule. Long columns are summed in levels, so that rounding errors grow with sqrt(rows) only.
 */
export function columnSum(to: Lowering, name: string, x: Tensor, rows: number, shape: readonly number[]): Tensor {
  const columns = x.size / rows;
  if (!hasSubgroups(to) || columns % 4 !== 0 || rows <= 64) return byThreads(to, name, x, rows, shape);
  return choose(to, keyOf("columnSum", { rows, columns }), {
    subgroups: { preferred: false, launch: () => bySubgroups(to, name, x, rows, shape) },
    threads: { portable: true, launch: () => byThreads(to, name, x, rows, shape) },
  });
}

/** Two levels of about sqrt(rows) each. */
function byThreads(to: Lowering, name: string, x: Tensor, rows: number, shape: readonly number[]): Tensor {
  const columns = x.size / rows;
  const chunk = rows <= 64 ? rows : Math.ceil(Math.sqrt(rows));
  const chunks = Math.ceil(rows / chunk);
  const output = to.temporary(name, chunks === 1 ? shape : [chunks, columns]);
  const { groups, constants } = threads(chunks * columns);
  to.launch(shader, { x, output }, { ...constants, ROWS: rows, COLUMNS: columns, CHUNK: chunk }, groups);
  return chunks === 1 ? output : byThreads(to, name, output, chunks, shape);
}

/** Workgroups that keep a GPU busy, and the fewest rows per workgroup: 16 for each of its threads. */
const busy = 1024;
const fewestRows = 1024;

/** One level, or two if the columns are too few to keep a GPU busy. */
function bySubgroups(to: Lowering, name: string, x: Tensor, rows: number, shape: readonly number[]): Tensor {
  const COLUMNS = x.size / rows / 4;
  const chunks = Math.max(1, Math.min(Math.floor(rows / fewestRows), Math.ceil(busy / COLUMNS)));
  const CHUNK = Math.ceil(rows / chunks);
  const count = Math.ceil(rows / CHUNK);
  const output = to.temporary(name, count === 1 ? shape : [count, 4 * COLUMNS]);
  to.launch(subgroupsShader, { x, output }, { ROWS: rows, COLUMNS, CHUNK }, [COLUMNS, count]);
  return count === 1 ? output : bySubgroups(to, name, output, count, shape);
}

/** The sum of x [..., the shape] over all leading axes, as an operation: bias gradients. */
export function sumRows(name: string, x: Tensor, shape: readonly number[]): Tensor {
  return x.tape.recordAll(sumRowsOperation, [x], undefined, [{ shape, name }])[0];
}

const sumRowsOperation: Operation<undefined> = {
  name: "sum of rows",
  lower({ inputs: [x], outputs: [output] }, to) {
    const rows = x.size / output.size;
    to.place(output, to.storage(columnSum(to, output.name, x, rows, output.shape)));
  },
};

/** The terms of a filter gradient's sum: `lines` of `width` terms. One part takes `workgroups` workgroups. */
export interface Terms {
  readonly lines: number;
  readonly width: number;
  readonly workgroups: number;
  /** The fewest terms of a part; the default of `partsFor` if absent. */
  readonly fewest?: number;
}

/**
 * A filter gradient as a sum over lines in parts of PART lines. The launch writes each part; they are added in order.
 */
export function inParts(
  to: Lowering,
  { lines, width, workgroups, fewest }: Terms,
  shape: readonly number[],
  launch: (partial: Tensor, part: { readonly PART: number; readonly parts: number }) => void,
): Tensor {
  const { part: PART, parts } = partsFor(to, lines, width, workgroups, fewest);
  const partial = to.temporary("filter gradient", parts === 1 ? shape : [parts, ...shape]);
  launch(partial, { PART, parts });
  return parts === 1 ? partial : columnSum(to, "filter gradient", partial, parts, shape);
}
