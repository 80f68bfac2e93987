// y = k * x, k a number

import { map, type NdArray, type NdArrays } from "../ndarray.ts";

export interface ScaleOptions {
  k: number;
}

export const scale = ({ x }: NdArrays, { k }: ScaleOptions): NdArray => map(x, (value) => k * value);

export const scaleGradients = (_inputs: NdArrays, { k }: ScaleOptions, g: NdArray): NdArrays => ({
  x: map(g, (value) => k * value),
});
