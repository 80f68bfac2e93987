// Sums over the rows of a matrix, in levels: bias gradients, and the parts of filter gradients.
import shader from "../../../shaders/columnSum.forward.wgsl";
import { threads } from "../../tape/grid.ts";
import type { Tape } from "../../tape/tape.ts";
import type { Tensor } from "../../tape/tensor.ts";
import { partsFor } from "./matrixTiles.ts";

/**
 * Sum over the rows of x read as [rows, size of shape], as a tensor of that shape. Launches only: the chain rule is the
 * caller's. Long columns go in two levels of about sqrt(rows) each, so that rounding grows with sqrt(rows) alone.
 */
export function columnSum(tape: Tape, name: string, x: Tensor, rows: number, shape: readonly number[]): Tensor {
  const columns = x.size / rows;
  const chunk = rows <= 64 ? rows : Math.ceil(Math.sqrt(rows));
  const chunks = Math.ceil(rows / chunk);
  const output = tape.temporary(name, chunks === 1 ? shape : [chunks, columns]);
  const { groups, constants } = threads(chunks * columns);
  tape.launch(shader, { x, output }, { ...constants, ROWS: rows, COLUMNS: columns, CHUNK: chunk }, groups);
  return chunks === 1 ? output : columnSum(tape, name, output, chunks, shape);
}

/** What a filter gradient is a sum over: `lines` of `width` terms, for which one part takes `workgroups` workgroups. */
export interface Terms {
  readonly lines: number;
  readonly width: number;
  readonly workgroups: number;
  /** Terms of a part at least; `partsFor`'s own where nothing is said. */
  readonly fewest?: number;
}

/** A filter gradient as a sum over its lines in parts of PART lines, each written by the launch, added in their order. */
export function inParts(
  tape: Tape,
  { lines, width, workgroups, fewest }: Terms,
  shape: readonly number[],
  launch: (partial: Tensor, part: { readonly PART: number; readonly parts: number }) => void,
): Tensor {
  const { part: PART, parts } = partsFor(tape, lines, width, workgroups, fewest);
  const partial = tape.temporary("filter gradient", parts === 1 ? shape : [parts, ...shape]);
  launch(partial, { PART, parts });
  return parts === 1 ? partial : columnSum(tape, "filter gradient", partial, parts, shape);
}
