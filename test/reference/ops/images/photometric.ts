// Blur, light and color, brightness and contrast, noise and erasing in float64, with a Philox of its own in whole
// numbers of any size.

import { index4, type NdArray, zeros } from "../../ndarray.ts";

export interface Change {
  gamma?: number;
  exposure?: readonly [red: number, green: number, blue: number];
  gain: number;
  offset: number;
  noise: number;
  blur: number;
  seed: number;
  erased: { top: number; left: number; bottom: number; right: number };
}

/** Philox4x32-10 (Salmon et al. 2011) of a counter under the key (seed's low and high word). */
export function philox4x32(counter: readonly number[], seed: number): number[] {
  const word = 2n ** 32n;
  let [a, b, c, d] = counter.map(BigInt);
  let [k0, k1] = [BigInt(seed) % word, BigInt(seed) / word];
  for (let round = 0; round < 10; round++) {
    const p0 = 0xd2511f53n * a;
    const p1 = 0xcd9e8d57n * c;
    [a, b, c, d] = [(p1 / word) ^ b ^ k0, p1 % word, (p0 / word) ^ d ^ k1, p0 % word];
    k0 = (k0 + 0x9e3779b9n) % word;
    k1 = (k1 + 0xbb67ae85n) % word;
  }
  return [a, b, c, d].map(Number);
}

export interface RandomStreams {
  seed: number;
  noise: number;
  fill: number;
}

/** The random word of pixel [y, x] of a picture [H, W] in channel c: four neighbors of a row share a block. */
export function wordOf([y, x, c]: number[], [H, W]: number[], picture: number, stream: number, seed: number): number {
  const block = (c * H + y) * Math.ceil(W / 4) + Math.floor(x / 4);
  return philox4x32([block, picture, 0, stream], seed)[x % 4];
}

export const byteSum = (word: number) => [24, 16, 8, 0].reduce((sum, shift) => sum + ((word >>> shift) & 255), 0);

export function photometric(x: NdArray, changes: readonly Change[], streams: RandomStreams): NdArray {
  const [N, H, W, C] = x.shape;
  const y = zeros(x.shape);
  for (let n = 0; n < N; n++) {
    const { gamma = 1, exposure = [1, 1, 1] as const, gain, offset, noise, blur, seed, erased } = changes[n];
    const radius = Math.ceil(3 * blur);
    const g = (dy: number, dx: number) => (blur > 0 ? Math.exp(-(dy * dy + dx * dx) / (2 * blur * blur)) : 1);
    for (let i = 0; i < H; i++)
      for (let j = 0; j < W; j++)
        for (let c = 0; c < C; c++) {
          const at = index4(x.shape, n, i, j, c);
          const isErased = i >= erased.top && i < erased.bottom && j >= erased.left && j < erased.right;
          if (isErased) {
            y.data[at] = (wordOf([i, j, c], [H, W], seed, streams.fill, streams.seed) >>> 24) / 255;
            continue;
          }
          let [sum, total] = [0, 0];
          for (let dy = -radius; dy <= radius; dy++)
            for (let dx = -radius; dx <= radius; dx++) {
              const row = Math.min(Math.max(i + dy, 0), H - 1);
              const column = Math.min(Math.max(j + dx, 0), W - 1);
              sum += g(dy, dx) * x.data[index4(x.shape, n, row, column, c)];
              total += g(dy, dx);
            }
          const bytes = noise > 0 ? byteSum(wordOf([i, j, c], [H, W], seed, streams.noise, streams.seed)) : 510;
          // Four uniform bytes: mean 4 * 127.5, variance 4 * (256^2 - 1) / 12.
          const standard = (bytes - 510) / Math.sqrt((4 * (256 ** 2 - 1)) / 12);
          const lit = Math.min(1, exposure[C === 3 ? c : 1] * Math.max(sum / total, gamma === 1 ? 0 : 1e-6) ** gamma);
          y.data[at] = Math.min(Math.max(gain * lit + offset + noise * standard, 0), 1);
        }
  }
  return y;
}
