// y = |a - b|; the derivative where a = b is 0, as sign(0) is.

import { map, type NdArray, type NdArrays } from "../ndarray.ts";

export const absDifference = ({ a, b }: NdArrays): NdArray => map(a, (value, i) => Math.abs(value - b.data[i]));

export const absDifferenceGradients = ({ a, b }: NdArrays, _: object, g: NdArray): NdArrays => ({
  a: map(g, (value, i) => value * Math.sign(a.data[i] - b.data[i])),
  b: map(g, (value, i) => value * Math.sign(b.data[i] - a.data[i])),
});
