import flipFilterShader from "../../../shaders/conv2d.flipFilter.wgsl";
import type { Lowering } from "../../tape/lower.ts";
import type { Tensor } from "../../tape/tensor.ts";

/** [U, V, filters, channels]: the input gradient is the output gradient convolved with this filter. */
export function launchFlipFilter(to: Lowering, filter: Tensor): Tensor {
  const [sizeY, sizeX, channels, filters] = filter.shape;
  const flipped = to.temporary("flipped filter", [sizeY, sizeX, filters, channels]);
  const shape = { TAPS: sizeY * sizeX, CHANNELS: channels, FILTERS: filters };
  const grid = [Math.ceil(channels / 8), Math.ceil(filters / 8), shape.TAPS] as const;
  to.launch(flipFilterShader, { filter_: filter, flipped }, shape, grid);
  return flipped;
}
