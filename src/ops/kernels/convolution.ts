// The algorithms for a convolution and its gradients: direct, or Winograd's.
import dilateShader from "../../../shaders/conv2d.dilate.wgsl";
import type { Lowering } from "../../tape/lower.ts";
import { choose, keyOf } from "../../tape/lowering/choose.ts";
import { threads } from "../../tape/lowering/grid.ts";
import type { Tensor } from "../../tape/tensor.ts";
import type { Convolution } from "./convolutionShape.ts";
import {
  fitsDirectFilterGradientUniform,
  fitsDirectUniform,
  launchDirectFilterGradient,
  launchTiled,
  launchUniform,
} from "./directConvolution.ts";
import { fitsFew, fitsFewFilterGradient, launchFew, launchFewFilterGradient } from "./firstLayerConvolution.ts";
import { launchFlipFilter } from "./flipFilter.ts";
import { prefersUniform } from "./matrixTiles.ts";
import * as winograd from "./winogradConvolution.ts";

/** A key of all that the time of a convolution depends on. */
const keyFor = (pass: string, { batch, channels, filters, y, x }: Convolution): string => {
  const extents = (axis: Convolution["y"]) => [axis.input, axis.output, axis.size, axis.stride, axis.before];
  return keyOf(`conv2d.${pass}`, { batch, channels, filters, y: extents(y), x: extents(x) });
};

/** output = x * filter + bias. */
export function launchForward(
  to: Lowering,
  convolution: Convolution,
  tensors: { readonly x: Tensor; readonly filter: Tensor; readonly bias?: Tensor; readonly output: Tensor },
): void {
  choose(to, keyFor("forward", convolution), {
    winograd: {
      fits: winograd.fits(convolution),
      preferred: winograd.prefers(to, convolution),
      launch: () => winograd.launchForward(to, convolution, tensors),
    },
    few: {
      fits: fitsFew(convolution),
      preferred: prefersUniform(to),
      launch: () => launchFew(to, convolution, tensors),
    },
    uniform: {
      fits: fitsDirectUniform(convolution),
      preferred: prefersUniform(to),
      launch: () => launchUniform(to, convolution, tensors),
    },
    tiled: { portable: true, launch: () => launchTiled(to, convolution, tensors) },
  });
}

/** d loss / d x: the output gradient, with stride - 1 zeros between its elements, convolved with the flipped filter. */
export function launchInputGradient(
  to: Lowering,
  convolution: Convolution,
  tensors: { readonly filter: Tensor; readonly gradient: Tensor; readonly output: Tensor },
): void {
  const { batch, channels, filters, y, x } = convolution;
  const gradient = launchDilate(to, convolution, tensors.gradient);
  const backwards = (axis: Convolution["y"], input: number) => ({
    input,
    output: axis.input,
    size: axis.size,
    stride: 1,
    before: axis.size - 1 - axis.before,
  });
  const [, height, width] = gradient.shape;
  const adjoint = { batch, channels: filters, filters: channels, y: backwards(y, height), x: backwards(x, width) };
  const flipped = () => ({ x: gradient, filter: launchFlipFilter(to, tensors.filter), output: tensors.output });
  choose(to, keyFor("inputGradient", adjoint), {
    winograd: {
      fits: winograd.fits(adjoint),
      preferred: winograd.prefers(to, adjoint),
      launch: () => winograd.launchForward(to, adjoint, flipped()),
    },
    uniform: {
      fits: fitsDirectUniform(adjoint),
      preferred: prefersUniform(to),
      launch: () => launchUniform(to, adjoint, flipped()),
    },
    tiled: { portable: true, launch: () => launchTiled(to, adjoint, flipped()) },
  });
}

function launchDilate(to: Lowering, { batch, filters, y, x }: Convolution, gradient: Tensor): Tensor {
  if (y.stride === 1 && x.stride === 1) return gradient;
  const [height, width] = [y, x].map((axis) => (axis.output - 1) * axis.stride + 1);
  const dilated = to.temporary("dilated gradient", [batch, height, width, filters]);
  const { groups, constants } = threads(dilated.size);
  const shape = { HEIGHT: y.output, WIDTH: x.output, FILTERS: filters, STRIDE_Y: y.stride, STRIDE_X: x.stride };
  const size = { DILATED_HEIGHT: height, DILATED_WIDTH: width };
  to.launch(dilateShader, { gradient, dilated }, { ...constants, ...shape, ...size }, groups);
  return dilated;
}

/** d loss / d filter, of the shape [y.size, x.size, channels, filters]. */
export function launchFilterGradient(
  to: Lowering,
  convolution: Convolution,
  tensors: { readonly x: Tensor; readonly gradient: Tensor },
  shape: readonly number[],
): Tensor {
  return choose(to, keyFor("filterGradient", convolution), {
    winograd: {
      fits: winograd.fits(convolution),
      preferred: winograd.prefers(to, convolution),
      launch: () => winograd.launchGradient(to, convolution, tensors),
    },
    few: {
      fits: fitsFewFilterGradient(convolution),
      preferred: prefersUniform(to),
      launch: () => launchFewFilterGradient(to, convolution, tensors, shape),
    },
    uniform: {
      fits: fitsDirectFilterGradientUniform(convolution),
      preferred: prefersUniform(to),
      launch: () => launchDirectFilterGradient(to, convolution, tensors, shape, "uniform"),
    },
    tiled: { portable: true, launch: () => launchDirectFilterGradient(to, convolution, tensors, shape, "tiled") },
  });
}
