// Direct convolution: every multiply-add of the formula, for any size, stride and channel count.

import filterGradientShader from "../../../shaders/conv2d.filterGradient.wgsl";
import forwardShader from "../../../shaders/conv2d.forward.wgsl";
import uniformFilterGradientShader from "../../../shaders/gpu/conv2d.filterGradient.uniform.wgsl";
import uniformForwardShader from "../../../shaders/gpu/conv2d.forward.uniform.wgsl";
import type { Lowering } from "../../tape/lower.ts";
import type { Tensor } from "../../tape/tensor.ts";
import { inParts } from "./columnSum.ts";
import type { Convolution } from "./convolutionShape.ts";
import { fitsUniform, lanesFor, tile, uniformTile } from "./matrixTiles.ts";

const mostGroups = 65535;

const shapeOf = ({ channels, filters, y, x }: Convolution) => ({
  HEIGHT: y.input,
  WIDTH: x.input,
  CHANNELS: channels,
  OUTPUT_HEIGHT: y.output,
  OUTPUT_WIDTH: x.output,
  FILTERS: filters,
  SIZE_Y: y.size,
  SIZE_X: x.size,
  STRIDE_Y: y.stride,
  STRIDE_X: x.stride,
  PAD_Y: y.before,
  PAD_X: x.before,
});

export const fitsDirectUniform = ({ channels }: Convolution): boolean => fitsUniform(channels);

export const fitsDirectFilterGradientUniform = ({ channels }: Convolution): boolean =>
  fitsUniform(channels) && channels % uniformTile.gradientRows === 0;

/** The kernels with these names; `tiled` keeps its tile in registers only. */
type Form = "uniform" | "tiled";

interface ForwardTensors {
  readonly x: Tensor;
  readonly filter: Tensor;
  readonly bias?: Tensor;
  readonly output: Tensor;
}

/** The launch arguments of both forward kernels, for the rows and columns of a workgroup. */
function forwardOf(convolution: Convolution, tensors: ForwardTensors, tile: { rows: number; columns: number }) {
  const { batch, filters, y, x } = convolution;
  const pixels = batch * y.output * x.output;
  const groups = Math.ceil(pixels / tile.rows);
  const ROW = Math.min(groups, mostGroups);
  const { filter, bias } = tensors;
  return {
    grid: [Math.ceil(filters / tile.columns), ROW, Math.ceil(groups / ROW)] as const,
    bindings: { x: tensors.x, filter_: filter, bias: bias ?? filter, output: tensors.output },
    constants: { ...shapeOf(convolution), PIXELS: pixels, BIAS: bias ? 1 : 0, ROW },
  };
}

export function launchUniform(to: Lowering, convolution: Convolution, tensors: ForwardTensors): void {
  const { grid, bindings, constants } = forwardOf(convolution, tensors, uniformTile);
  to.launch(uniformForwardShader, bindings, constants, grid);
}

export function launchTiled(to: Lowering, convolution: Convolution, tensors: ForwardTensors): void {
  const { batch, filters, y, x } = convolution;
  const { LANES, TILES } = lanesFor(batch * y.output * x.output, filters);
  const perGroup = { rows: tile * TILES, columns: tile * LANES };
  const { grid, bindings, constants } = forwardOf(convolution, tensors, perGroup);
  const tunables = { LANES, TILES, X_LENGTH: tensors.x.size, FILTER_LENGTH: tensors.filter.size };
  to.launch(forwardShader, bindings, constants, grid, tunables);
}

/** d loss / d filter, of the shape [y.size, x.size, channels, filters]. */
export function launchDirectFilterGradient(
  to: Lowering,
  convolution: Convolution,
  { x: source, gradient }: { readonly x: Tensor; readonly gradient: Tensor },
  shape: readonly number[],
  form: Form,
): Tensor {
  const { batch, channels, filters, y, x } = convolution;
  const rows = y.size * x.size * channels;
  const { LANES, TILES } = lanesFor(rows, filters);
  const perGroup = {
    uniform: { rows: uniformTile.gradientRows, columns: uniformTile.columns },
    tiled: { rows: tile * TILES, columns: tile * LANES },
  }[form];
  const tiles = [Math.ceil(filters / perGroup.columns), Math.ceil(rows / perGroup.rows)] as const;
  const lines = batch * y.output;
  const terms = { lines, width: x.output, workgroups: tiles[0] * tiles[1] };
  return inParts(to, terms, shape, (partial, { PART, parts }) => {
    const bindings = { x: source, gradient, partial };
    const constants = { ...shapeOf(convolution), LINES: lines, PART };
    const grid = [...tiles, parts] as const;
    const tunables = { LANES, TILES, X_LENGTH: source.size, GRADIENT_LENGTH: gradient.size };
    if (form === "uniform") to.launch(uniformFilterGradientShader, bindings, constants, grid);
    else to.launch(filterGradientShader, bindings, constants, grid, tunables);
  });
}
