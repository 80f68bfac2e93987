// y = 1 / (1 + exp(-x)); dy/dx = y * (1 - y)

import { map, type NdArray, type NdArrays } from "../ndarray.ts";

export const logistic = (x: number) => 1 / (1 + Math.exp(-x));

export const sigmoid = ({ x }: NdArrays): NdArray => map(x, logistic);

// 1 - logistic(x) is written logistic(-x), which keeps its digits where logistic(x) rounds to 1.
export const sigmoidGradients = ({ x }: NdArrays, _: object, g: NdArray): NdArrays => ({
  x: map(g, (value, i) => value * logistic(x.data[i]) * logistic(-x.data[i])),
});
