// From a rasterized picture to the photograph: averaged down, then light, blur and noise in plain arithmetic, so that
// one raster gives the same bytes on every machine.
import type { Appearance, RandomNumbers } from "./people.ts";

/** The factor of rasterization on each side; averaging down in integers gives smooth edges without a resampler. */
export const OVERSAMPLING = 2;

/** Averages OVERSAMPLING x OVERSAMPLING squares of RGBA bytes into RGB levels, [size, size, 3]. */
function averageDown(pixels: ArrayLike<number>, size: number): Float64Array {
  const result = new Float64Array(size * size * 3);
  const row = size * OVERSAMPLING;
  for (let y = 0; y < row; y++)
    for (let x = 0; x < row; x++) {
      const from = (y * row + x) * 4;
      const to = (((y / OVERSAMPLING) | 0) * size + ((x / OVERSAMPLING) | 0)) * 3;
      for (let c = 0; c < 3; c++) result[to + c] += pixels[from + c];
    }
  return result.map((sum) => sum / (OVERSAMPLING * OVERSAMPLING));
}

/** One axis of the binomial filter [1 2 1] / 4, mixed with the sharp picture; edges are repeated. */
function blurAxis(levels: Float64Array, size: number, share: number, stride: number, across: number): Float64Array {
  return levels.map((level, index) => {
    const position = Math.floor(index / stride) % size;
    const before = position > 0 ? index - stride : index;
    const after = position < size - 1 ? index + stride : index;
    return level * (1 - share) + (share * (levels[before] + 2 * level + levels[after])) / across;
  });
}

/** Four bytes of one draw, summed and scaled to mean 0 and deviation 1: nearly normal, and exact on every machine. */
function noise(random: RandomNumbers): number {
  const word = random.uint32();
  const sum = (word & 255) + ((word >>> 8) & 255) + ((word >>> 16) & 255) + (word >>> 24);
  return (sum - 510) / 147.8;
}

/** RGB bytes [size, size, 3] of a raster with RGBA bytes at OVERSAMPLING times that side; `random` draws the noise. */
export function finishPicture(
  raster: ArrayLike<number>,
  today: Appearance,
  size: number,
  random: RandomNumbers,
): Uint8Array {
  let levels = averageDown(raster, size);
  const { light } = today;
  const radians = (light.direction * Math.PI) / 180;
  const [dx, dy] = [Math.cos(radians) * light.slope, Math.sin(radians) * light.slope];
  const warmth = [1 + light.warmth, 1, 1 - light.warmth];
  levels = levels.map((level, index) => {
    const x = (Math.floor(index / 3) % size) / (size - 1) - 0.5;
    const y = Math.floor(index / 3 / size) / (size - 1) - 0.5;
    return level * light.gain * warmth[index % 3] * (1 + 2 * (dx * x + dy * y)) + light.lift;
  });
  if (today.blur > 0) {
    levels = blurAxis(levels, size, today.blur, 3, 4);
    levels = blurAxis(levels, size, today.blur, 3 * size, 4);
  }
  return Uint8Array.from(levels, (level) =>
    Math.max(0, Math.min(255, Math.round(level + today.noise * noise(random)))),
  );
}
