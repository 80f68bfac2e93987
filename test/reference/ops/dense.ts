// y[b, o] = activation(bias[o] + sum over i of x[b, i] * kernel[i, o])

import { map, type NdArray, type NdArrays, zeros } from "../ndarray.ts";
import { relu, reluGradients } from "./relu.ts";
import { sigmoid, sigmoidGradients } from "./sigmoid.ts";

export interface DenseOptions {
  activation?: "sigmoid" | "relu";
}

function affine({ x, kernel, bias }: NdArrays): NdArray {
  const [B, I] = x.shape;
  const O = kernel.shape[1];
  const y = zeros([B, O]);
  for (let b = 0; b < B; b++)
    for (let o = 0; o < O; o++) {
      y.data[b * O + o] = bias ? bias.data[o] : 0;
      for (let i = 0; i < I; i++) y.data[b * O + o] += x.data[b * I + i] * kernel.data[i * O + o];
    }
  return y;
}

export function dense(inputs: NdArrays, { activation }: DenseOptions): NdArray {
  const x = affine(inputs);
  if (activation === "sigmoid") return sigmoid({ x });
  if (activation === "relu") return relu({ x });
  return x;
}

export function denseGradients(inputs: NdArrays, { activation }: DenseOptions, outputGradient: NdArray): NdArrays {
  const { x, kernel, bias } = inputs;
  const [B, I] = x.shape;
  const O = kernel.shape[1];
  let g = outputGradient;
  if (activation === "sigmoid") g = sigmoidGradients({ x: affine(inputs) }, {}, g).x;
  if (activation === "relu") g = reluGradients({ x: affine(inputs) }, {}, g).x;
  const gradients: NdArrays = { x: zeros(x.shape), kernel: zeros(kernel.shape) };
  for (let b = 0; b < B; b++)
    for (let o = 0; o < O; o++)
      for (let i = 0; i < I; i++) {
        gradients.x.data[b * I + i] += g.data[b * O + o] * kernel.data[i * O + o];
        gradients.kernel.data[i * O + o] += x.data[b * I + i] * g.data[b * O + o];
      }
  if (bias) {
    const rows = Array.from({ length: B }, (_, b) => b);
    gradients.bias = map(bias, (_, o) => rows.reduce((total, b) => total + g.data[b * O + o], 0));
  }
  return gradients;
}
