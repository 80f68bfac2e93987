// Pictures as edges by direction: what tells faces apart lies in where edges run more than in how bright a patch is, and few
// people are not enough to learn that from. The idea of histograms of oriented gradients (Dalal and Triggs 2005), kept fine
// enough for convolutions to go on from there.
import histogramShader from "../../../shaders/orientedGradients.histogram.wgsl";
import normaliseShader from "../../../shaders/orientedGradients.normalise.wgsl";
import { ShapeError, TwingradError } from "../../errors.ts";
import { threads } from "../../tape/grid.ts";
import { tapeOf } from "../../tape/tape.ts";
import { describe, type Tensor } from "../../tape/tensor.ts";
import { image } from "../kernels/windowShape.ts";

/** Directions that edges are told apart by, a turn's eighths. */
export const edgeDirections = 8;

/**
 * [N, H, W, C] to [N, floor(H / 2), floor(W / 2), 8 + C]: of each 2 x 2 pixels how much edge runs in each of 8 directions, beside
 * what there is in the 5 x 5 cells about it, and the mean of the pixels themselves. With I the mean of the channels,
 * d = (I[y, x + 1] - I[y, x - 1], I[y + 1, x] - I[y - 1, x]), u_b the unit vector of direction b, borders repeated:
 *
 *   h_b = mean over 2 x 2 of max(0, d . u_b)^2 / (|d| + 1e-3)
 *   y_b = sqrt(h_b / (sqrt(mean over 5 x 5 of sum_b h_b^2) + 0.1) + 0.01)
 *
 * The constants suit standardised pictures. Without a gradient: it stands where pictures come in.
 */
export function orientedGradients(x: Tensor): Tensor {
  const tape = tapeOf("orientedGradients", x);
  const [count, height, width, channels] = image("orientedGradients", x);
  const [rows, columns] = [Math.floor(height / 2), Math.floor(width / 2)];
  if (rows === 0 || columns === 0) {
    throw new ShapeError("orientedGradients", `x is ${describe(x.shape)}; expected 2 x 2 pixels or more.`);
  }
  const cells = [count, rows, columns];
  const histogram = tape.temporary("edges by direction", [...cells, edgeDirections]);
  const energy = tape.temporary("edges' energy", cells);
  const output = tape.temporary("edges", [...cells, edgeDirections + channels]);
  const { groups, constants } = threads(count * rows * columns);
  const shape = { ...constants, HEIGHT: height, WIDTH: width, CHANNELS: channels, ROWS: rows, COLUMNS: columns };
  tape.launch(histogramShader, { x, histogram, energy }, shape, groups);
  tape.launch(normaliseShader, { x, histogram, energy, output }, shape, groups);
  return tape.record("orientedGradients", [x], output, () => {
    throw new TwingradError("BAD_INPUT", "orientedGradients: it has no gradient; take gradients of what follows it.");
  });
}
