// The filter gradient of a convolution over images of a few pixels, as the last layers of a network have them: a thread
// holds a whole image of its channels, where Winograd's cells would be partly empty and every kernel reads pixels again.
import shader from "../../../shaders/conv2d.filterGradient.small.wgsl";
import type { Tape } from "../../tape/tape.ts";
import type { Tensor } from "../../tape/tensor.ts";
import { inParts } from "./columnSum.ts";
import type { Convolution } from "./convolutionShape.ts";

/** At most 3 x 3 pixels, 3 x 3 SAME filters, stride 1, channels in fours: for software adapters. */
export const fitsSmallImages = ({ channels, filters, y, x }: Convolution): boolean =>
  channels % 4 === 0 &&
  filters % 4 === 0 &&
  [y, x].every(({ input, size, stride, before }) => input <= 3 && size === 3 && stride === 1 && before === 1);

/** d loss / d filter, of the shape [3, 3, channels, filters]. */
export function launchSmallImagesFilterGradient(
  tape: Tape,
  { batch, channels, filters, y, x: columns }: Convolution,
  { x, gradient }: { readonly x: Tensor; readonly gradient: Tensor },
  shape: readonly number[],
): Tensor {
  // Workgroups of 16 threads: the vec4s of 64 channels in and out are few enough that larger ones would leave cores idle.
  const LANES = Math.min(8, 2 ** Math.ceil(Math.log2(filters / 4)));
  const TILES = 16 / LANES;
  const tiles = [Math.ceil(filters / (4 * LANES)), Math.ceil(channels / (4 * TILES))] as const;
  const sizes = { HEIGHT: y.input, WIDTH: columns.input, CHANNELS: channels / 4, FILTERS: filters / 4 };
  const lengths = { X_LENGTH: x.size / 4, GRADIENT_LENGTH: gradient.size / 4 };
  const terms = { lines: batch, width: y.input * columns.input, workgroups: tiles[0] * tiles[1] };
  return inParts(tape, terms, shape, (partial, { PART, parts }) => {
    const constants = { ...sizes, IMAGES: batch, PART };
    tape.launch(shader, { x, gradient, partial }, constants, [...tiles, parts], { LANES, TILES, ...lengths });
  });
}
