// y[b, i, j, o] = bias[o] + sum over u, v, c of x[b, i*stride + u - top, j*stride + v - left, c] * filter[u, v, c, o]

import { index4, type NdArray, type NdArrays, zeros } from "../ndarray.ts";
import { type Extent, type Padding, pair, windows } from "./images/window.ts";

export interface Conv2dOptions {
  stride?: Extent;
  padding?: Padding;
}

/** Calls `visit` for each product x[xi] * filter[fi] that is part of output [yi]. */
function eachProduct(
  x: NdArray,
  filter: NdArray,
  { stride = 1, padding = "same" }: Conv2dOptions,
  visit: (xi: number, fi: number, yi: number) => void,
) {
  const [B, H, W, C] = x.shape;
  const [U, V, , O] = filter.shape;
  const [down, right] = pair(stride);
  const rows = windows(H, U, down, padding);
  const columns = windows(W, V, right, padding);
  const yShape = [B, rows.count, columns.count, O];
  for (let b = 0; b < B; b++)
    for (let i = 0; i < rows.count; i++)
      for (let j = 0; j < columns.count; j++)
        for (let u = 0; u < U; u++)
          for (let v = 0; v < V; v++) {
            const row = i * down + u - rows.before;
            const column = j * right + v - columns.before;
            if (row < 0 || row >= H || column < 0 || column >= W) continue;
            for (let c = 0; c < C; c++)
              for (let o = 0; o < O; o++)
                visit(index4(x.shape, b, row, column, c), index4(filter.shape, u, v, c, o), index4(yShape, b, i, j, o));
          }
}

export function conv2d({ x, filter, bias }: NdArrays, options: Conv2dOptions): NdArray {
  const { stride = 1, padding = "same" } = options;
  const [B, H, W] = x.shape;
  const [U, V, , O] = filter.shape;
  const [down, right] = pair(stride);
  const y = zeros([B, windows(H, U, down, padding).count, windows(W, V, right, padding).count, O]);
  if (bias) for (let i = 0; i < y.data.length; i++) y.data[i] = bias.data[i % O];
  eachProduct(x, filter, options, (xi, fi, yi) => {
    y.data[yi] += x.data[xi] * filter.data[fi];
  });
  return y;
}

export function conv2dGradients({ x, filter, bias }: NdArrays, options: Conv2dOptions, g: NdArray): NdArrays {
  const gradients: NdArrays = { x: zeros(x.shape), filter: zeros(filter.shape) };
  eachProduct(x, filter, options, (xi, fi, yi) => {
    gradients.x.data[xi] += filter.data[fi] * g.data[yi];
    gradients.filter.data[fi] += x.data[xi] * g.data[yi];
  });
  if (bias) {
    gradients.bias = zeros(bias.shape);
    for (let i = 0; i < g.data.length; i++) gradients.bias.data[i % bias.data.length] += g.data[i];
  }
  return gradients;
}
