// The mean over height and width of [B, H, W, C].
import { type NdArray, type NdArrays, zeros } from "../../ndarray.ts";

/** Of each element of x the one of [B, C] that it is averaged into. */
const pooledAt = ([, height, width, channels]: readonly number[], i: number) =>
  Math.floor(i / (height * width * channels)) * channels + (i % channels);

export function globalAveragePool({ x }: NdArrays): NdArray {
  const [batch, height, width, channels] = x.shape;
  const y = zeros([batch, channels]);
  x.data.forEach((value, i) => {
    y.data[pooledAt(x.shape, i)] += value / (height * width);
  });
  return y;
}

export function globalAveragePoolGradients({ x }: NdArrays, _: object, g: NdArray): NdArrays {
  const [, height, width] = x.shape;
  const gradient = zeros(x.shape);
  gradient.data.forEach((_, i) => {
    gradient.data[i] = g.data[pooledAt(x.shape, i)] / (height * width);
  });
  return { x: gradient };
}
