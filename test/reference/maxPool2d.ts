// y[b, i, j, c] = max over the window; padded positions never win; the first maximum in row-major order takes the gradient.

import { index4, type NdArray, type NdArrays, zeros } from "./ndarray.ts";
import { type Padding, windows } from "./window.ts";

export interface MaxPool2dOptions {
  size?: number;
  stride?: number;
  padding?: Padding;
}

/** For each output the position of the winning input. */
function argmax(x: NdArray, { size = 2, stride = size, padding = "valid" }: MaxPool2dOptions) {
  const [B, H, W, C] = x.shape;
  const rows = windows(H, size, stride, padding);
  const columns = windows(W, size, stride, padding);
  const shape = [B, rows.count, columns.count, C];
  const winners: number[] = [];
  for (let b = 0; b < B; b++)
    for (let i = 0; i < rows.count; i++)
      for (let j = 0; j < columns.count; j++)
        for (let c = 0; c < C; c++) {
          let winner = -1;
          for (let u = 0; u < size; u++)
            for (let v = 0; v < size; v++) {
              const row = i * stride + u - rows.before;
              const column = j * stride + v - columns.before;
              if (row < 0 || row >= H || column < 0 || column >= W) continue;
              const at = index4(x.shape, b, row, column, c);
              if (winner < 0 || x.data[at] > x.data[winner]) winner = at;
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
