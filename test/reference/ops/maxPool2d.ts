// y[b, i, j, c] = max over the window; padded positions never win; the first maximum in row-major order takes the gradient.
// NaN is the largest, and of several in a window the last takes the gradient, as in PyTorch.

import { index4, type NdArray, type NdArrays, zeros } from "../ndarray.ts";
import { type Extent, type Padding, pair, windows } from "./images/window.ts";

export interface MaxPool2dOptions {
  size?: Extent;
  stride?: Extent;
  padding?: Padding;
}

/** For each output the position of the winning input. */
function argmax(x: NdArray, { size = 2, stride = size, padding = "valid" }: MaxPool2dOptions) {
  const [B, H, W, C] = x.shape;
  const [height, width] = pair(size);
  const [down, right] = pair(stride);
  const rows = windows(H, height, down, padding);
  const columns = windows(W, width, right, padding);
  const shape = [B, rows.count, columns.count, C];
  const winners: number[] = [];
  for (let b = 0; b < B; b++)
    for (let i = 0; i < rows.count; i++)
      for (let j = 0; j < columns.count; j++)
        for (let c = 0; c < C; c++) {
          let winner = -1;
          for (let u = 0; u < height; u++)
            for (let v = 0; v < width; v++) {
              const row = i * down + u - rows.before;
              const column = j * right + v - columns.before;
              if (row < 0 || row >= H || column < 0 || column >= W) continue;
              const at = index4(x.shape, b, row, column, c);
              if (winner < 0 || x.data[at] > x.data[winner] || Number.isNaN(x.data[at])) winner = at;
            }
          winners.push(winner);
        }
  return { shape, winners };
}

export function maxPool2d({ x }: NdArrays, options: MaxPool2dOptions): NdArray {
  const { shape, winners } = argmax(x, options);
  return { shape, data: Float64Array.from(winners, (at) => x.data[at]) };
}

export function maxPool2dGradients({ x }: NdArrays, options: MaxPool2dOptions, g: NdArray): NdArrays {
  const gradient = zeros(x.shape);
  argmax(x, options).winners.forEach((at, i) => {
    gradient.data[at] += g.data[i];
  });
  return { x: gradient };
}
