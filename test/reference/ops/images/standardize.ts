// (x - mean) / sqrt(variance + epsilon) of each picture and channel by itself (Ulyanov et al. 2016, without parameters).

import { map, type NdArray, zeros } from "../../ndarray.ts";

export function standardize({ x }: { x: NdArray }, { epsilon = 1e-5 } = {}): NdArray {
  const [count, height, width, channels] = x.shape;
  const pixels = height * width;
  const mean = zeros([count, channels]);
  const variance = zeros([count, channels]);
  const own = (i: number) => Math.floor(i / (pixels * channels)) * channels + (i % channels);
  x.data.forEach((value, i) => {
    mean.data[own(i)] += value / pixels;
  });
  x.data.forEach((value, i) => {
    variance.data[own(i)] += (value - mean.data[own(i)]) ** 2 / pixels;
  });
  return map(x, (value, i) => (value - mean.data[own(i)]) / Math.sqrt(variance.data[own(i)] + epsilon));
}
