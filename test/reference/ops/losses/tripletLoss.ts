// loss = mean over rows of max(0, |anchor - positive|^2 - |anchor - negative|^2 + margin) (Schroff et al. 2015)

import { type NdArray, type NdArrays, scalar, zeros } from "../../ndarray.ts";
import { squaredDistance } from "./contrastiveLoss.ts";

export interface TripletOptions {
  margin?: number;
}

const hinge = ({ anchor, positive, negative }: NdArrays, margin: number, row: number) =>
  Math.max(0, squaredDistance(anchor, positive, row) - squaredDistance(anchor, negative, row) + margin);

export function tripletLoss(inputs: NdArrays, { margin = 0.2 }: TripletOptions): NdArray {
  const rows = inputs.anchor.shape[0];
  let total = 0;
  for (let row = 0; row < rows; row++) total += hinge(inputs, margin, row);
  return scalar(total / rows);
}

export function tripletLossGradients(inputs: NdArrays, { margin = 0.2 }: TripletOptions, g: NdArray): NdArrays {
  const { anchor, positive, negative } = inputs;
  const [rows, columns] = anchor.shape;
  const gradients = { anchor: zeros(anchor.shape), positive: zeros(anchor.shape), negative: zeros(anchor.shape) };
  for (let row = 0; row < rows; row++) {
    if (hinge(inputs, margin, row) === 0) continue;
    for (let k = row * columns; k < (row + 1) * columns; k++) {
      const factor = (2 * g.data[0]) / rows;
      gradients.anchor.data[k] = factor * (negative.data[k] - positive.data[k]);
      gradients.positive.data[k] = factor * (positive.data[k] - anchor.data[k]);
      gradients.negative.data[k] = factor * (anchor.data[k] - negative.data[k]);
    }
  }
  return gradients;
}
