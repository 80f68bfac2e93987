// y = x / sqrt(max(|x|^2, epsilon)), each row on its own (TensorFlow's l2_normalize); below epsilon the row is only scaled.

import { map, type NdArray, type NdArrays } from "../ndarray.ts";

export interface L2NormalizeOptions {
  epsilon?: number;
}

/** The sum of a[row, k] * b[row, k] over k, for the row that holds position i. */
function rowProduct(a: NdArray, b: NdArray, i: number) {
  const columns = a.shape[a.shape.length - 1];
  const start = Math.floor(i / columns) * columns;
  let total = 0;
  for (let k = start; k < start + columns; k++) total += a.data[k] * b.data[k];
  return total;
}

export const l2Normalize = ({ x }: NdArrays, { epsilon = 1e-12 }: L2NormalizeOptions): NdArray =>
  map(x, (value, i) => value / Math.sqrt(Math.max(rowProduct(x, x, i), epsilon)));

export const l2NormalizeGradients = (
  { x }: NdArrays,
  { epsilon = 1e-12 }: L2NormalizeOptions,
  g: NdArray,
): NdArrays => ({
  x: map(g, (value, i) => {
    const squared = rowProduct(x, x, i);
    if (squared <= epsilon) return value / Math.sqrt(epsilon);
    return value / Math.sqrt(squared) - (x.data[i] * rowProduct(x, g, i)) / squared ** 1.5;
  }),
});
