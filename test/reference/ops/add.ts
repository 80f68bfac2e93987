// y = a + b, of equal shapes

import { map, type NdArray, type NdArrays } from "../ndarray.ts";

export const add = ({ a, b }: NdArrays): NdArray => map(a, (value, i) => value + b.data[i]);

export const addGradients = (_inputs: NdArrays, _: object, g: NdArray): NdArrays => ({
  a: map(g, (value) => value),
  b: map(g, (value) => value),
});
