// Edges by direction, summed over windows: histograms of oriented gradients (Dalal and Triggs 2005) that discard where
// in a window an edge lies.
import shader from "../../../shaders/edgeHistograms.wgsl";
import { ShapeError } from "../../errors.ts";
import type { Operation } from "../../tape/graph.ts";
import { threads } from "../../tape/lowering/grid.ts";
import { tapeOf } from "../../tape/tape.ts";
import { describe, type Tensor } from "../../tape/tensor.ts";
import { image } from "../kernels/windowShape.ts";
import { edgeDirections, histogramWindows, histogramSize as size } from "./edgeShape.ts";

/**
 * The output of `orientedGradients`, [N, R, Q, 8 + C], to [N, floor(R / 2) - 1, floor(Q / 2) - 1, 8]: the root mean
 * square of each direction over 4 x 4 cells, at every second cell, without the pixels. Not differentiable; apply it to
 * inputs only.
 * @example
 * ```ts
 * const y = edgeHistograms(orientedGradients(tape.input("x", [4, 56, 46, 1]))); // [4, 13, 10, 8]
 * ```
 */
export function edgeHistograms(edges: Tensor): Tensor {
  const tape = tapeOf("edgeHistograms", edges);
  const [count, rows, columns, channels] = image("edgeHistograms", edges);
  const windows = [histogramWindows(rows), histogramWindows(columns)];
  if (windows.includes(0) || channels < edgeDirections) {
    const what = `edges is ${describe(edges.shape)}; expected ${size} x ${size} cells or more of ${edgeDirections} directions.`;
    throw new ShapeError("edgeHistograms", what);
  }
  return tape.record(operation, [edges], undefined, [count, ...windows, edgeDirections]);
}

const operation: Operation<undefined> = {
  name: "edgeHistograms",
  lower({ inputs: [edges], outputs: [output] }, to) {
    const [, ROWS, COLUMNS, CHANNELS] = edges.shape;
    const [, WINDOW_ROWS, WINDOW_COLUMNS] = output.shape;
    const { groups, constants } = threads(output.size);
    const sizes = { CHANNELS, ROWS, COLUMNS, WINDOW_ROWS, WINDOW_COLUMNS };
    to.launch(shader, { edges, output }, { ...constants, ...sizes }, groups);
  },
};
