// Edges by direction, summed up over windows: what is left of histograms of oriented gradients (Dalal and Triggs 2005) where
// nothing further is learnt about where in a window an edge runs.
import shader from "../../../shaders/edgeHistograms.wgsl";
import { ShapeError, TwingradError } from "../../errors.ts";
import { threads } from "../../tape/grid.ts";
import { tapeOf } from "../../tape/tape.ts";
import { describe, type Tensor } from "../../tape/tensor.ts";
import { image } from "../kernels/windowShape.ts";
import { edgeDirections } from "./orientedGradients.ts";

const [size, stride] = [4, 2];

/** How many windows there are along `cells` cells of `orientedGradients`. */
export const histogramWindows = (cells: number): number => Math.max(0, Math.floor((cells - size) / stride) + 1);

/**
 * What `orientedGradients` gives, [N, R, Q, 8 + C], to [N, floor(R / 2) - 1, floor(Q / 2) - 1, 8]: the root of the mean square of each
 * direction over 4 x 4 cells, at every second cell; the pixels are left out. Without a gradient, as there.
 */
export function edgeHistograms(edges: Tensor): Tensor {
  const tape = tapeOf("edgeHistograms", edges);
  const [count, rows, columns, channels] = image("edgeHistograms", edges);
  const windows = [histogramWindows(rows), histogramWindows(columns)];
  if (windows.includes(0) || channels < edgeDirections) {
    const what = `edges is ${describe(edges.shape)}; expected ${size} x ${size} cells or more of ${edgeDirections} directions.`;
    throw new ShapeError("edgeHistograms", what);
  }
  const output = tape.temporary("edges' histograms", [count, ...windows, edgeDirections]);
  const { groups, constants } = threads(output.size);
  const shape = {
    CHANNELS: channels,
    ROWS: rows,
    COLUMNS: columns,
    WINDOW_ROWS: windows[0],
    WINDOW_COLUMNS: windows[1],
  };
  tape.launch(shader, { edges, output }, { ...constants, ...shape }, groups);
  return tape.record("edgeHistograms", [edges], output, () => {
    throw new TwingradError("BAD_INPUT", "edgeHistograms: it has no gradient; take gradients of what follows it.");
  });
}
