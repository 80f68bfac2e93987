// Winograd's convolution F(2x2, 3x3) (Lavin and Gray 2016): tiles of 2 x 2 outputs from 4 x 4 inputs by 16 multiplications
// for each pair of channels instead of 36. The products of all tiles are sixteen matrix products; the filter gradient
// takes the same way back, through the adjoints of the three transforms.
import filterShader from "../../shaders/winograd.filter.wgsl";
import filterGradientShader from "../../shaders/winograd.filterGradient.wgsl";
import inputShader from "../../shaders/winograd.input.wgsl";
import outputShader from "../../shaders/winograd.output.wgsl";
import outputGradientShader from "../../shaders/winograd.outputGradient.wgsl";
import { threads } from "../tape/grid.ts";
import type { Tape } from "../tape/tape.ts";
import type { Tensor } from "../tape/tensor.ts";
import type { Convolution } from "./convolution.ts";
import { launchKernelGradient, launchProduct, type Product } from "./product.ts";

/** Bytes that the transformed tensors of one convolution may take: they are four times as large as what they come from. */
const mostBytes = 256 * 2 ** 20;

/** Operations for each byte of memory traffic that GPUs have (31 to 40: see docs/performance.md). */
const balance = 40;

/** Whether Winograd can do it: a 3 x 3 filter with stride 1, whole vec4s of channels, no more memory than it may take. */
export function fitsWinograd(convolution: Convolution): boolean {
  const { channels, filters, y, x } = convolution;
  return (
    [y.size, x.size].every((size) => size === 3) &&
    [y.stride, x.stride].every((stride) => stride === 1) &&
    [channels, filters].every((n) => n % 4 === 0) &&
    64 * tilesOf(convolution).tiles * (channels + filters) <= mostBytes
  );
}

/**
 * Whether it is probably faster: tiles of which the output fills at least the share `fill`, and so many channels that the
 * time saved on arithmetic is more than that spent on moving the transformed tensors. Software adapters move data within
 * their caches: there the arithmetic alone counts.
 */
export function prefersWinograd(tape: Tape, { channels, filters, y, x }: Convolution, fill = 0.7): boolean {
  const tiles = Math.ceil(y.output / 2) * Math.ceil(x.output / 2);
  // Operations of the direct algorithm for each byte that Winograd moves. A tile takes 72 channels * filters operations;
  // its 16 transformed values of each channel are written once and read once, 128 (channels + filters) bytes.
  const intensity = (72 * channels * filters) / (128 * (channels + filters));
  return (
    [channels, filters].every((n) => n >= 16) &&
    (tape.device.adapter.software || intensity >= balance) &&
    y.output * x.output > fill * 4 * tiles
  );
}

const tilesOf = ({ batch, y, x }: Convolution) => ({
  TILES_Y: Math.ceil(y.output / 2),
  TILES_X: Math.ceil(x.output / 2),
  tiles: batch * Math.ceil(y.output / 2) * Math.ceil(x.output / 2),
});

const productOf = (convolution: Convolution): Product => ({
  ...{ batch: 16, rows: tilesOf(convolution).tiles, inputs: convolution.channels, outputs: convolution.filters },
});

/** `flip`: with the filter of the convolution whose input gradient this is, [3, 3, filters, channels]. */
export function launchWinograd(
  tape: Tape,
  convolution: Convolution,
  tensors: { readonly x: Tensor; readonly filter: Tensor; readonly bias?: Tensor; readonly output: Tensor },
  flip: boolean,
): void {
  const { channels, filters, y, x } = convolution;
  const { TILES_Y, TILES_X, tiles } = tilesOf(convolution);
  const transformed = transformInput(tape, convolution, tensors.x);

  const kernel = tape.temporary("winograd filter", [16, channels, filters]);
  const each = threads(channels * filters);
  const shape = flip ? { CHANNELS: filters, FILTERS: channels } : { CHANNELS: channels, FILTERS: filters };
  const constants = { ...each.constants, ...shape, FLIP: flip ? 1 : 0 };
  tape.launch(filterShader, { filter_: tensors.filter, transformed: kernel }, constants, each.groups);

  const product = tape.temporary("winograd product", [16, tiles, filters]);
  launchProduct(tape, productOf(convolution), { x: transformed, kernel, output: product });

  const last = threads((tiles * filters) / 4);
  const size = { FILTERS: filters / 4, OUTPUT_HEIGHT: y.output, OUTPUT_WIDTH: x.output, TILES_Y, TILES_X };
  tape.launch(
    outputShader,
    { product, bias: tensors.bias ?? tensors.filter, output: tensors.output },
    { ...last.constants, ...size, BIAS: tensors.bias ? 1 : 0 },
    last.groups,
  );
}

/** d loss / d filter, of the shape [3, 3, channels, filters]. */
export function launchWinogradFilterGradient(
  tape: Tape,
  convolution: Convolution,
  { x, gradient }: { readonly x: Tensor; readonly gradient: Tensor },
  shape: readonly number[],
): Tensor {
  const { channels, filters } = convolution;
  const { TILES_Y, TILES_X, tiles } = tilesOf(convolution);
  const transformed = transformInput(tape, convolution, x);

  const arriving = tape.temporary("winograd output gradient", [16, tiles, filters]);
  const each = threads((tiles * filters) / 4);
  const size = { OUTPUT_HEIGHT: convolution.y.output, OUTPUT_WIDTH: convolution.x.output, TILES_Y, TILES_X };
  const constants = { ...each.constants, FILTERS: filters / 4, ...size };
  tape.launch(outputGradientShader, { gradient, transformed: arriving }, constants, each.groups);

  const sums = { x: transformed, gradient: arriving };
  const product = launchKernelGradient(tape, productOf(convolution), sums, [16, channels, filters]);
  const filter_gradient = tape.temporary("filter gradient", shape);
  const last = threads((channels * filters) / 4);
  tape.launch(filterGradientShader, { product, filter_gradient }, last.constants, last.groups);
  return filter_gradient;
}

function transformInput(tape: Tape, convolution: Convolution, source: Tensor): Tensor {
  const { channels, y, x } = convolution;
  const { TILES_Y, TILES_X, tiles } = tilesOf(convolution);
  const transformed = tape.temporary("winograd input", [16, tiles, channels]);
  const { groups, constants } = threads((tiles * channels) / 4);
  const size = { HEIGHT: y.input, WIDTH: x.input, CHANNELS: channels / 4, PAD_Y: y.before, PAD_X: x.before };
  tape.launch(inputShader, { x: source, transformed }, { ...constants, ...size, TILES_Y, TILES_X }, groups);
  return transformed;
}
