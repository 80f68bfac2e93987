// y = max(0, x), NaN of NaN; the derivative at 0 is 0, and at NaN 1, as in PyTorch: what is not <= 0 passes.

import { map, type NdArray, type NdArrays } from "../ndarray.ts";

export const relu = ({ x }: NdArrays): NdArray => map(x, (value) => Math.max(0, value));

export const reluGradients = ({ x }: NdArrays, _: object, g: NdArray): NdArrays => ({
  x: map(g, (value, i) => (x.data[i] <= 0 ? 0 : value)),
});
