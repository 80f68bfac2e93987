// The algorithms for a convolution and its gradients: direct, Winograd's, or unfolding.
import dilateShader from "../../../shaders/conv2d.dilate.wgsl";
import flipFilterShader from "../../../shaders/conv2d.flipFilter.wgsl";
import { choose, keyOf } from "../../tape/choose.ts";
import { threads } from "../../tape/grid.ts";
import type { Tape } from "../../tape/tape.ts";
import type { Tensor } from "../../tape/tensor.ts";
import type { Convolution } from "./convolutionShape.ts";
import {
  fitsDirectFilterGradientUniform,
  fitsDirectShared,
  fitsDirectUniform,
  launchDirect,
  launchDirectFilterGradient,
} from "./directConvolution.ts";
import {
  fitsFew,
  fitsFewFilterGradient,
  fitsGray,
  fitsRgbFilterGradient,
  launchFew,
  launchFewFilterGradient,
  launchGray,
  launchRgbFilterGradient,
} from "./firstLayerConvolution.ts";
import { prefersUniform } from "./matrixTiles.ts";
import { fitsSmallImages, launchSmallImagesFilterGradient } from "./smallImageConvolution.ts";
import { fitsUnfold, launchUnfolded, prefersUnfold } from "./unfoldedConvolution.ts";
import * as winograd from "./winogradConvolution.ts";

/** All that the time of a convolution depends on. */
const keyFor = (pass: string, { batch, channels, filters, y, x }: Convolution): string => {
  const extents = (axis: Convolution["y"]) => [axis.input, axis.output, axis.size, axis.stride, axis.before];
  return keyOf(`conv2d.${pass}`, { batch, channels, filters, y: extents(y), x: extents(x) });
};

/** output = x * filter + bias. */
export function launchForward(
  tape: Tape,
  convolution: Convolution,
  tensors: { readonly x: Tensor; readonly filter: Tensor; readonly bias?: Tensor; readonly output: Tensor },
): void {
  choose(tape, keyFor("forward", convolution), {
    winograd: {
      fits: winograd.fits(convolution),
      preferred: winograd.prefers(tape, convolution),
      launch: () => winograd.launchForward(tape, convolution, tensors),
    },
    few: {
      fits: fitsFew(convolution),
      preferred: prefersUniform(tape),
      launch: () => launchFew(tape, convolution, tensors),
    },
    gray: {
      fits: tape.device.adapter.software && fitsGray(convolution),
      launch: () => launchGray(tape, convolution, tensors),
    },
    unfolded: {
      fits: fitsUnfold(convolution),
      preferred: prefersUnfold(convolution),
      launch: () => launchUnfolded(tape, convolution, tensors),
    },
    uniform: {
      fits: fitsDirectUniform(convolution),
      preferred: prefersUniform(tape),
      launch: () => launchDirect(tape, convolution, tensors, "uniform"),
    },
    shared: {
      fits: fitsDirectShared(convolution),
      preferred: false,
      launch: () => launchDirect(tape, convolution, tensors, "shared"),
    },
    tiled: { launch: () => launchDirect(tape, convolution, tensors, "tiled") },
  });
}

/** [U, V, filters, channels]: the filter with which a convolution of the output gradient gives the input gradient. */
export function launchFlipFilter(tape: Tape, filter: Tensor): Tensor {
  const [sizeY, sizeX, channels, filters] = filter.shape;
  const flipped = tape.temporary("flipped filter", [sizeY, sizeX, filters, channels]);
  const shape = { TAPS: sizeY * sizeX, CHANNELS: channels, FILTERS: filters };
  const grid = [Math.ceil(channels / 8), Math.ceil(filters / 8), shape.TAPS] as const;
  tape.launch(flipFilterShader, { filter_: filter, flipped }, shape, grid);
  return flipped;
}

/** d loss / d x: the output gradient, with stride - 1 zeros between its elements, convolved with the flipped filter. */
export function launchInputGradient(
  tape: Tape,
  convolution: Convolution,
  tensors: { readonly filter: Tensor; readonly gradient: Tensor; readonly output: Tensor },
): void {
  const { batch, channels, filters, y, x } = convolution;
  const gradient = launchDilate(tape, convolution, tensors.gradient);
  const backwards = (axis: Convolution["y"], input: number) => ({
    input,
    output: axis.input,
    size: axis.size,
    stride: 1,
    before: axis.size - 1 - axis.before,
  });
  const [, height, width] = gradient.shape;
  const adjoint = { batch, channels: filters, filters: channels, y: backwards(y, height), x: backwards(x, width) };
  const flipped = () => ({ x: gradient, filter: launchFlipFilter(tape, tensors.filter), output: tensors.output });
  const direct = (form: "uniform" | "shared" | "tiled") => launchDirect(tape, adjoint, flipped(), form);
  choose(tape, keyFor("inputGradient", adjoint), {
    winograd: {
      fits: winograd.fits(adjoint),
      preferred: winograd.prefers(tape, adjoint),
      launch: () => winograd.launchForward(tape, adjoint, flipped()),
    },
    uniform: { fits: fitsDirectUniform(adjoint), preferred: prefersUniform(tape), launch: () => direct("uniform") },
    shared: { fits: fitsDirectShared(adjoint), preferred: false, launch: () => direct("shared") },
    tiled: { launch: () => direct("tiled") },
  });
}

function launchDilate(tape: Tape, { batch, filters, y, x }: Convolution, gradient: Tensor): Tensor {
  if (y.stride === 1 && x.stride === 1) return gradient;
  const [height, width] = [y, x].map((axis) => (axis.output - 1) * axis.stride + 1);
  const dilated = tape.temporary("dilated gradient", [batch, height, width, filters]);
  const { groups, constants } = threads(dilated.size);
  const shape = { HEIGHT: y.output, WIDTH: x.output, FILTERS: filters, STRIDE_Y: y.stride, STRIDE_X: x.stride };
  const size = { DILATED_HEIGHT: height, DILATED_WIDTH: width };
  tape.launch(dilateShader, { gradient, dilated }, { ...constants, ...shape, ...size }, groups);
  return dilated;
}

/** d loss / d filter, of the shape [y.size, x.size, channels, filters]. */
export function launchFilterGradient(
  tape: Tape,
  convolution: Convolution,
  tensors: { readonly x: Tensor; readonly gradient: Tensor },
  shape: readonly number[],
): Tensor {
  return choose(tape, keyFor("filterGradient", convolution), {
    small: {
      fits: tape.device.adapter.software && fitsSmallImages(convolution),
      launch: () => launchSmallImagesFilterGradient(tape, convolution, tensors, shape),
    },
    winograd: {
      fits: winograd.fits(convolution),
      preferred: winograd.prefers(tape, convolution),
      launch: () => winograd.launchGradient(tape, convolution, tensors),
    },
    few: {
      fits: fitsFewFilterGradient(convolution),
      preferred: prefersUniform(tape),
      launch: () => launchFewFilterGradient(tape, convolution, tensors, shape),
    },
    rgb: {
      fits: tape.device.adapter.software && fitsRgbFilterGradient(convolution),
      launch: () => launchRgbFilterGradient(tape, convolution, tensors, shape),
    },
    uniform: {
      fits: fitsDirectFilterGradientUniform(convolution),
      preferred: prefersUniform(tape),
      launch: () => launchDirectFilterGradient(tape, convolution, tensors, shape, "uniform"),
    },
    shared: {
      fits: fitsDirectShared(convolution),
      preferred: false,
      launch: () => launchDirectFilterGradient(tape, convolution, tensors, shape, "shared"),
    },
    tiled: { launch: () => launchDirectFilterGradient(tape, convolution, tensors, shape, "tiled") },
  });
}
