// y = the mean of all values, a scalar

import { map, type NdArray, type NdArrays, scalar } from "../ndarray.ts";

export const mean = ({ x }: NdArrays): NdArray =>
  scalar(x.data.reduce((total, value) => total + value, 0) / x.data.length);

export const meanGradients = ({ x }: NdArrays, _: object, g: NdArray): NdArrays => ({
  x: map(x, () => g.data[0] / x.data.length),
});
