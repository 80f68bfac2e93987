// Pictures as edges by direction. Faces differ in where edges run more than in brightness, and few identities are not
// enough to learn that. The idea is histograms of oriented gradients (Dalal and Triggs 2005), kept fine enough for
// convolutions to follow.
import histogramShader from "../../../shaders/orientedGradients.histogram.wgsl";
import normalizeShader from "../../../shaders/orientedGradients.normalize.wgsl";
import { ShapeError } from "../../errors.ts";
import type { Operation } from "../../tape/graph.ts";
import { threads } from "../../tape/lowering/grid.ts";
import { tapeOf } from "../../tape/tape.ts";
import { describe, type Tensor } from "../../tape/tensor.ts";
import { image } from "../kernels/windowShape.ts";
import { edgeDirections } from "./edgeShape.ts";

/**
 * [N, H, W, C] to [N, floor(H / 2), floor(W / 2), 8 + C]: for each 2 x 2 pixels the strength of edges in each of 8
 * directions, relative to that in the 5 x 5 cells around, and the mean of the pixels. With I the mean of the channels,
 * d = (I[y, x + 1] - I[y, x - 1], I[y + 1, x] - I[y - 1, x]), u_b the unit vector of direction b, borders repeated:
 *
 *   h_b = mean over 2 x 2 of max(0, d . u_b)^2 / (|d| + 1e-3)
 *   y_b = sqrt(h_b / (sqrt(mean over 5 x 5 of sum_b h_b^2) + 0.1) + 0.01)
 *
 * The constants suit standardized pictures. Not differentiable; apply it to inputs only.
 * @example
 * ```ts
 * const y = orientedGradients(tape.input("x", [4, 56, 46, 1])); // [4, 28, 23, 9]
 * ```
 */
export function orientedGradients(x: Tensor): Tensor {
  const tape = tapeOf("orientedGradients", x);
  const [count, height, width, channels] = image("orientedGradients", x);
  const [rows, columns] = [Math.floor(height / 2), Math.floor(width / 2)];
  if (rows === 0 || columns === 0) {
    throw new ShapeError("orientedGradients", `x is ${describe(x.shape)}; expected 2 x 2 pixels or more.`);
  }
  return tape.record(operation, [x], undefined, [count, rows, columns, edgeDirections + channels]);
}

const operation: Operation<undefined> = {
  name: "orientedGradients",
  lower({ inputs: [x], outputs: [output] }, to) {
    const [, HEIGHT, WIDTH, CHANNELS] = x.shape;
    const [count, ROWS, COLUMNS] = output.shape;
    const cells = [count, ROWS, COLUMNS];
    const histogram = to.temporary("edges by direction", [...cells, edgeDirections]);
    const energy = to.temporary("edges' energy", cells);
    const { groups, constants } = threads(count * ROWS * COLUMNS);
    const sizes = { ...constants, HEIGHT, WIDTH, CHANNELS, ROWS, COLUMNS };
    to.launch(histogramShader, { x, histogram, energy }, sizes, groups);
    to.launch(normalizeShader, { x, histogram, energy, output }, sizes, groups);
  },
};
