// Translates, scales and resizes one picture on the host. The result is computed once per picture and must be the same
// on every adapter.
import type { ImageSize } from "../imageSize.ts";

/** Scaled about the center by `scale`, then translated down and to the right by shares of height and width. */
export interface Placement {
  readonly scale: number;
  readonly y: number;
  readonly x: number;
}

/**
 * A placed picture: [H, W, C] to [rows, columns, C]. Output o of n samples the source at ((o + 1/2) / n - 1/2 - move) /
 * scale + 1/2, as a share of the side. Where n is smaller than the side, it is the mean of bilinear samples spread
 * evenly over the output pixel, one for each source pixel it covers at scale 1. The border is repeated.
 */
export function placed(
  pixels: ArrayLike<number>,
  [height, width, channels]: ImageSize,
  { scale, y, x }: Placement,
  [rows, columns]: readonly [number, number],
): Float32Array {
  const across = samples(width, columns, scale, x);
  const down = samples(height, rows, scale, y);
  const stride = columns * channels;
  const narrow = new Float64Array(height * stride);
  for (let line = 0; line < height; line++) {
    for (let i = 0; i < across.at.length; i++) {
      const from = (line * width + across.at[i]) * channels;
      const to = line * stride + Math.floor(i / across.each) * channels;
      for (let c = 0; c < channels; c++) narrow[to + c] += across.weight[i] * pixels[from + c];
    }
  }
  const result = new Float64Array(rows * stride);
  for (let i = 0; i < down.at.length; i++) {
    const [from, to] = [down.at[i] * stride, Math.floor(i / down.each) * stride];
    for (let k = 0; k < stride; k++) result[to + k] += down.weight[i] * narrow[from + k];
  }
  return Float32Array.from(result);
}

/** For each of `output` places along an axis: the indices and weights of `each` pixels of `source`. */
function samples(source: number, output: number, scale: number, move: number) {
  const parts = Math.max(1, Math.round(source / output));
  const each = 2 * parts;
  const at = new Int32Array(output * each);
  const weight = new Float64Array(output * each);
  for (let part = 0; part < output * parts; part++) {
    const share = (part + 0.5) / (output * parts) - 0.5;
    const place = ((share - move) / scale + 0.5) * source - 0.5;
    const before = Math.floor(place);
    for (const [i, pixel] of [before, before + 1].entries()) {
      at[2 * part + i] = Math.min(Math.max(pixel, 0), source - 1);
      weight[2 * part + i] = (1 - Math.abs(place - pixel)) / parts;
    }
  }
  return { each, at, weight };
}
