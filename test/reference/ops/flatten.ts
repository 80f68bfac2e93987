// [B, ...] -> [B, product of the rest]; the values stay where they are.

import { type NdArray, type NdArrays, sizeOf } from "../ndarray.ts";

export const flatten = ({ x }: NdArrays): NdArray => ({
  shape: [x.shape[0], sizeOf(x.shape.slice(1))],
  data: x.data.slice(),
});

export const flattenGradients = ({ x }: NdArrays, _: object, g: NdArray): NdArrays => ({
  x: { shape: x.shape, data: g.data.slice() },
});
