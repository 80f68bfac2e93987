// loss = factor * sum(w^2) / 2; d loss / dw = factor * w

import { map, type NdArray, type NdArrays, scalar } from "../../ndarray.ts";

export interface L2PenaltyOptions {
  factor: number;
}

export const l2Penalty = ({ parameter }: NdArrays, { factor }: L2PenaltyOptions): NdArray =>
  scalar((factor * parameter.data.reduce((total, w) => total + w ** 2, 0)) / 2);

export const l2PenaltyGradients = ({ parameter }: NdArrays, { factor }: L2PenaltyOptions, g: NdArray): NdArrays => ({
  parameter: map(parameter, (w) => g.data[0] * factor * w),
});
