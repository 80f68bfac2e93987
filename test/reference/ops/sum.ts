// y = the sum of all values, a scalar

import { map, type NdArray, type NdArrays, scalar } from "../ndarray.ts";

export const sum = ({ x }: NdArrays): NdArray => scalar(x.data.reduce((total, value) => total + value, 0));

export const sumGradients = ({ x }: NdArrays, _: object, g: NdArray): NdArrays => ({ x: map(x, () => g.data[0]) });
