// The augmentation of one picture: drawn from the picture's own random stream, and converted to the parameters of the
// kernels.
import type { PhotometricChange } from "../../ops/images/photometric.ts";
import { type ResizeMethod, resizing, type Transform } from "../../ops/images/resample.ts";
import { Random, streams } from "../random.ts";
import type { Bounds, ResolvedRanges } from "./ranges.ts";

export interface Augmentation {
  /**
   * `side`: the share of each side that the window keeps; `y`, `x`: its offset from the center, as shares of the sides.
   */
  readonly window: { readonly side: number; readonly y: number; readonly x: number };
  readonly scale: number;
  /** In degrees. */
  readonly rotation: number;
  readonly translation: { readonly y: number; readonly x: number };
  readonly flip: boolean;
  readonly blur: number;
  readonly brightness: number;
  readonly contrast: number;
  readonly noise: number;
  readonly gamma: number;
  readonly gain: number;
  /** Gains of red and blue relative to green. */
  readonly whiteBalance: { readonly red: number; readonly blue: number };
  /** Position of the patch, as shares of the free space: 0 is the top or left edge, 1 the bottom or right one. */
  readonly patch: { readonly y: number; readonly x: number };
  /** Shares of the picture's height and width; null where nothing is erased. */
  readonly erased: {
    readonly top: number;
    readonly left: number;
    readonly height: number;
    readonly width: number;
  } | null;
}

/**
 * The augmentation of the picture with this stream id (a uint32): a pure function of (ranges, seed, id), evaluated on
 * the host. Every number is drawn whether it is used or not, so that changing one range leaves all other numbers as
 * they were.
 */
export function drawAugmentation(ranges: ResolvedRanges, seed: number, id: number): Augmentation {
  const random = new Random(seed, streams.pictureChanges, id);
  const within = ([low, high]: Bounds) => low + (high - low) * random.uniform();
  const inLogarithm = ([low, high]: Bounds) => Math.exp(within([Math.log(low), Math.log(high)]));
  const centered = (share: number) => (random.uniform() - 0.5) * share;

  const dropped = within(ranges.crop);
  const window = { side: 1 - dropped, y: centered(dropped), x: centered(dropped) };
  const scale = within(ranges.scale);
  const rotation = within(ranges.rotation);
  const translation = { y: within(ranges.translation), x: within(ranges.translation) };
  const flip = random.uniform() < ranges.flip;
  const blur = within(ranges.blur);
  const brightness = within(ranges.brightness);
  const contrast = within(ranges.contrast);
  const noise = within(ranges.noise);

  const isErased = random.uniform() < ranges.erasing.probability;
  const area = within(ranges.erasing.area);
  const aspect = inLogarithm(ranges.erasing.aspect);
  const height = Math.min(1, Math.sqrt(area * aspect));
  const width = Math.min(1, Math.sqrt(area / aspect));
  const [top, left] = [random.uniform() * (1 - height), random.uniform() * (1 - width)];
  const erased = isErased ? { top, left, height, width } : null;

  const gamma = inLogarithm(ranges.gamma);
  const gain = inLogarithm(ranges.gain);
  const whiteBalance = { red: inLogarithm(ranges.whiteBalance), blue: inLogarithm(ranges.whiteBalance) };
  const patch = { y: random.uniform(), x: random.uniform() };
  return {
    window,
    scale,
    rotation,
    translation,
    flip,
    blur,
    brightness,
    contrast,
    noise,
    gamma,
    gain,
    whiteBalance,
    patch,
    erased,
  };
}

type Size = readonly [height: number, width: number];

/**
 * The affine map from output pixels to source pixels. The window is scaled and rotated about its center, then
 * translated, then mirrored. It is rotated in source coordinates, so that a rotation stays one where the two axes are
 * resized differently.
 */
export function transformOf(augmentation: Augmentation, source: Size, output: Size, method: ResizeMethod): Transform {
  const { window, scale, rotation, translation, flip } = augmentation;
  const [stepY, , , stepX, originY, originX] = resizing(source, output, method);
  const turn = (rotation * Math.PI) / 180;
  const zoom = window.side / scale;
  const [cosine, sine] = [Math.cos(turn) * zoom, Math.sin(turn) * zoom];
  const mirror = flip ? -1 : 1;
  const center = [(output[0] - 1) / 2, (output[1] - 1) / 2];

  // A step in the output, before mirroring, to a step in the source: y and x are the two columns.
  const y = [cosine * stepY, -sine * stepY];
  const x = [sine * stepX, cosine * stepX];
  // The output's center maps to the window's center, less the translation.
  const [downY, rightX] = [translation.y * output[0], translation.x * output[1]];
  const shownY = originY + stepY * center[0] + window.y * source[0] - y[0] * downY - x[0] * rightX;
  const shownX = originX + stepX * center[1] + window.x * source[1] - y[1] * downY - x[1] * rightX;
  const columnX = [x[0] * mirror, x[1] * mirror];
  return [
    y[0],
    y[1],
    columnX[0],
    columnX[1],
    shownY - y[0] * center[0] - columnX[0] * center[1],
    shownX - y[1] * center[0] - columnX[1] * center[1],
  ];
}

/**
 * The transform of a patch: row `y` and column `x` of the output become its origin. Integers make a patch of a picture
 * at full resolution copy pixels without interpolation.
 */
export function partOf([yy, xy, yx, xx, y0, x0]: Transform, y: number, x: number): Transform {
  return [yy, xy, yx, xx, y0 + yy * y + yx * x, x0 + xy * y + xx * x];
}

/**
 * Exposure and white balance, then contrast about mid gray, then brightness: v -> contrast (v - 1/2) + 1/2 +
 * brightness.
 */
export function changeOf(augmentation: Augmentation, [height, width]: Size, id: number): PhotometricChange {
  const { gamma, gain, whiteBalance, contrast, brightness, noise, blur, erased } = augmentation;
  const exposure = [gain * whiteBalance.red, gain, gain * whiteBalance.blue] as const;
  const rectangle = { top: 0, left: 0, bottom: 0, right: 0 };
  if (erased) {
    rectangle.top = Math.round(erased.top * height);
    rectangle.left = Math.round(erased.left * width);
    rectangle.bottom = Math.round((erased.top + erased.height) * height);
    rectangle.right = Math.round((erased.left + erased.width) * width);
  }
  const offset = 0.5 * (1 - contrast) + brightness;
  return { gamma, exposure, gain: contrast, offset, noise, blur, seed: id, erased: rectangle };
}
