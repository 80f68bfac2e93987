// y = max(0, x); the derivative at 0 is 0.

import { map, type NdArray, type NdArrays } from "../ndarray.ts";

export const relu = ({ x }: NdArrays): NdArray => map(x, (value) => Math.max(0, value));

export const reluGradients = ({ x }: NdArrays, _: object, g: NdArray): NdArrays => ({
  x: map(g, (value, i) => (x.data[i] > 0 ? value : 0)),
});
