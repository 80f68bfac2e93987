// loss = mean over rows of same * d^2 + (1 - same) * max(0, margin - d)^2, d = |a - b| (Hadsell, Chopra, LeCun 2006).
// At d = 0 the direction of a - b is undefined; the gradient there is 0.

import { type NdArray, type NdArrays, scalar, zeros } from "../../ndarray.ts";

export interface ContrastiveOptions {
  margin?: number;
}

export const squaredDistance = (a: NdArray, b: NdArray, row: number) => {
  const columns = a.shape[1];
  let total = 0;
  for (let k = row * columns; k < (row + 1) * columns; k++) total += (a.data[k] - b.data[k]) ** 2;
  return total;
};

export function contrastiveLoss({ a, b, same }: NdArrays, { margin = 1 }: ContrastiveOptions): NdArray {
  const rows = a.shape[0];
  let total = 0;
  for (let row = 0; row < rows; row++) {
    const d = Math.sqrt(squaredDistance(a, b, row));
    total += same.data[row] * d ** 2 + (1 - same.data[row]) * Math.max(0, margin - d) ** 2;
  }
  return scalar(total / rows);
}

export function contrastiveLossGradients(
  { a, b, same }: NdArrays,
  { margin = 1 }: ContrastiveOptions,
  g: NdArray,
): NdArrays {
  const [rows, columns] = a.shape;
  const gradients = { a: zeros(a.shape), b: zeros(b.shape) };
  for (let row = 0; row < rows; row++) {
    const d = Math.sqrt(squaredDistance(a, b, row));
    // d loss / dd = 2*same*d - 2*(1-same)*max(0, margin-d), and dd / da = (a - b) / d
    const lossByD = 2 * same.data[row] * d - 2 * (1 - same.data[row]) * Math.max(0, margin - d);
    for (let k = row * columns; k < (row + 1) * columns; k++) {
      const dByA = d === 0 ? 0 : (a.data[k] - b.data[k]) / d;
      gradients.a.data[k] = (g.data[0] / rows) * lossByD * dByA;
      gradients.b.data[k] = -gradients.a.data[k];
    }
  }
  return gradients;
}
