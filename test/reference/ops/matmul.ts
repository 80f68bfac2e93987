// y[k, n, m] = sum over i of a[k, n, i] * b[k, i, m]; without k for two matrices

import { type NdArray, type NdArrays, zeros } from "../ndarray.ts";

/** Calls `term` for each product of the sum, with the positions of the elements. */
function eachTerm({ a, b }: NdArrays, term: (y: number, a: number, b: number) => void): void {
  const [N, I] = a.shape.slice(-2);
  const M = b.shape[b.shape.length - 1];
  const K = a.shape.length === 3 ? a.shape[0] : 1;
  for (let k = 0; k < K; k++)
    for (let n = 0; n < N; n++)
      for (let m = 0; m < M; m++)
        for (let i = 0; i < I; i++) term((k * N + n) * M + m, (k * N + n) * I + i, (k * I + i) * M + m);
}

export function matmul(inputs: NdArrays): NdArray {
  const { a, b } = inputs;
  const y = zeros([...a.shape.slice(0, -1), b.shape[b.shape.length - 1]]);
  eachTerm(inputs, (at, i, j) => {
    y.data[at] += a.data[i] * b.data[j];
  });
  return y;
}

export function matmulGradients(inputs: NdArrays, _: object, g: NdArray): NdArrays {
  const gradients = { a: zeros(inputs.a.shape), b: zeros(inputs.b.shape) };
  eachTerm(inputs, (at, i, j) => {
    gradients.a.data[i] += g.data[at] * inputs.b.data[j];
    gradients.b.data[j] += g.data[at] * inputs.a.data[i];
  });
  return gradients;
}
