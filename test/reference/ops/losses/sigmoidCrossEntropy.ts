// loss = mean of max(z, 0) - z * label + log(1 + exp(-|z|)), which is -label*log(p) - (1-label)*log(1-p) at
// p = sigmoid(z), written so that no exponential overflows; d loss / dz = (sigmoid(z) - label) / count

import { map, type NdArray, type NdArrays, scalar } from "../../ndarray.ts";
import { logistic } from "../sigmoid.ts";

export function sigmoidCrossEntropy({ logits, labels }: NdArrays): NdArray {
  let total = 0;
  logits.data.forEach((z, i) => {
    total += Math.max(z, 0) - z * labels.data[i] + Math.log1p(Math.exp(-Math.abs(z)));
  });
  return scalar(total / logits.data.length);
}

// logistic(z) - label is written -logistic(-z) for label 1, which keeps its digits where logistic(z) rounds to 1.
export const sigmoidCrossEntropyGradients = ({ logits, labels }: NdArrays, _: object, g: NdArray): NdArrays => ({
  logits: map(logits, (z, i) => {
    const label = labels.data[i];
    return (g.data[0] * ((1 - label) * logistic(z) - label * logistic(-z))) / logits.data.length;
  }),
});
