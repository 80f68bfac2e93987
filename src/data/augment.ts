// Small random changes of a picture that leave the person recognisable: one affine resampling pass (mirror, turn,
// zoom, shift) and brightness and contrast. Without them a network learns the few pictures it has by heart.
import type { ImageSize } from "./dataset.ts";
import type { Random } from "./random.ts";

export interface AugmentationRanges {
  /** The chance of a left-right mirror image. */
  flip: number;
  /** Largest turn either way, in degrees. */
  rotation: number;
  /** Largest relative change of size either way. */
  zoom: number;
  /** Largest shift either way, as a share of the height and of the width. */
  shift: number;
  /** Largest change of brightness either way, as a share of full scale. */
  brightness: number;
  /** Largest relative change of contrast about mid grey, either way. */
  contrast: number;
}

export const defaultAugmentation: AugmentationRanges = {
  flip: 0.5,
  rotation: 8,
  zoom: 0.08,
  shift: 0.05,
  brightness: 0.08,
  contrast: 0.15,
};

/** A changed copy of a [H, W, C] picture; pixels from beyond the border repeat the border. */
export function augment(
  pixels: Uint8Array,
  size: ImageSize,
  random: Random,
  ranges: AugmentationRanges = defaultAugmentation,
): Uint8Array {
  const [height, width, channels] = size;
  const within = (range: number) => (2 * random.uniform() - 1) * range;
  const mirror = random.uniform() < ranges.flip ? -1 : 1;
  const angle = (within(ranges.rotation) * Math.PI) / 180;
  const scale = 1 / (1 + within(ranges.zoom));
  const shiftY = within(ranges.shift) * height;
  const shiftX = within(ranges.shift) * width;
  const gain = 1 + within(ranges.contrast);
  const offset = 127.5 * (1 - gain) + within(ranges.brightness) * 255;

  // Each output pixel looks up where it came from: about the centre, turned, zoomed, then mirrored.
  const cosine = Math.cos(angle) * scale;
  const sine = Math.sin(angle) * scale;
  const centreY = (height - 1) / 2;
  const centreX = (width - 1) / 2;
  const output = new Uint8Array(pixels.length);
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const fromCentreY = y - centreY - shiftY;
      const fromCentreX = x - centreX - shiftX;
      const sourceY = clamp(centreY + cosine * fromCentreY - sine * fromCentreX, height - 1);
      const sourceX = clamp(centreX + mirror * (sine * fromCentreY + cosine * fromCentreX), width - 1);
      const top = Math.floor(sourceY);
      const left = Math.floor(sourceX);
      const bottom = Math.min(top + 1, height - 1);
      const right = Math.min(left + 1, width - 1);
      const weightY = sourceY - top;
      const weightX = sourceX - left;
      for (let channel = 0; channel < channels; channel++) {
        const at = (row: number, column: number) => pixels[(row * width + column) * channels + channel];
        const above = at(top, left) * (1 - weightX) + at(top, right) * weightX;
        const below = at(bottom, left) * (1 - weightX) + at(bottom, right) * weightX;
        const value = (above * (1 - weightY) + below * weightY) * gain + offset;
        output[(y * width + x) * channels + channel] = Math.round(clamp(value, 255));
      }
    }
  }
  return output;
}

const clamp = (value: number, maximum: number) => Math.min(Math.max(value, 0), maximum);
