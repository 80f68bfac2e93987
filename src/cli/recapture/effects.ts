// Image effects of presentation attacks: printing, display and recapture, one effect a function. Values are sRGB-encoded, in
// [0, 1]: the effects model the appearance, not the optics.
import type { Random } from "../../internal.ts";

/** Color pixels in [0, 1], row by row, three values each. */
export interface Raster {
  readonly height: number;
  readonly width: number;
  readonly data: Float32Array;
}

export type Color = readonly [red: number, green: number, blue: number];
export type Point = readonly [x: number, y: number];

const turn = 2 * Math.PI;
const radians = (degrees: number) => (degrees / 360) * turn;

/** A raster of the same size, each value from its position and channel; the first pixel's center is at (0, 0). */
function drawn(
  { height, width }: Raster,
  value: (at: number, x: number, y: number, channel: number) => number,
): Raster {
  const data = new Float32Array(height * width * 3);
  for (let y = 0, at = 0; y < height; y++) {
    for (let x = 0; x < width; x++) for (let c = 0; c < 3; c++, at++) data[at] = value(at, x, y, c);
  }
  return { height, width, data };
}

/** Ink on tinted paper, or a screen's imperfect black: v -> black + (white - black) v, for each channel. */
export function tint(picture: Raster, { white, black }: { white: Color; black: Color }): Raster {
  return drawn(picture, (at, _x, _y, c) => black[c] + (white[c] - black[c]) * picture.data[at]);
}

/**
 * Dots of ink: v -> (1 - strength) v + strength / (1 + exp((s - v) / 0.1)), where
 * s = 1/2 + (cos(2 pi u / period) + cos(2 pi w / period)) / 4 is the screen, and (u, w) are (x, y) rotated by the angle,
 * 30 degrees more for each channel, as in printing.
 * @param halftone.period in pixels; angle in degrees; strength in [0, 1].
 */
export function halftone(
  picture: Raster,
  { period, angle, strength }: { period: number; angle: number; strength: number },
) {
  const turns = [0, 30, 60].map((more) => [Math.cos(radians(angle + more)), Math.sin(radians(angle + more))]);
  return drawn(picture, (at, x, y, c) => {
    const [cosine, sine] = turns[c];
    const [u, w] = [cosine * x + sine * y, cosine * y - sine * x];
    const screen = 0.5 + (Math.cos((turn * u) / period) + Math.cos((turn * w) / period)) / 4;
    const v = picture.data[at];
    return (1 - strength) * v + strength / (1 + Math.exp((screen - v) / 0.1));
  });
}

/**
 * Moire, the beat of a screen's pixel grid and the camera's. The visible part of the product of two gratings
 * (1 + cos 2 pi k1 p) (1 + cos 2 pi k2 p) is the difference frequency (I. Amidror, "The Theory of the Moire Phenomenon",
 * 2000). The camera samples at (1, 0) and (0, 1) cycles a pixel; the screen, rotated by the angle, has 1 / period:
 * v -> v (1 + strength (cos(2 pi (kx p + c / 3)) + cos(2 pi ky p)) / 2), kx = R (1 / period, 0) - (1, 0) and
 * ky = R (0, 1 / period) - (0, 1). A channel's stripes lie a third of a screen pixel from the last one's: colored fringes.
 * @param moire.period of the screen's pixels in pixels of the camera, near 1; angle in degrees; strength in [0, 1].
 */
export function moire(
  picture: Raster,
  { period, angle, strength }: { period: number; angle: number; strength: number },
) {
  const [cosine, sine] = [Math.cos(radians(angle)) / period, Math.sin(radians(angle)) / period];
  const [kx, ky] = [
    [cosine - 1, sine],
    [-sine, cosine - 1],
  ];
  return drawn(picture, (at, x, y, c) => {
    const stripes = Math.cos(turn * (kx[0] * x + kx[1] * y + c / 3)) + Math.cos(turn * (ky[0] * x + ky[1] * y));
    return picture.data[at] * (1 + (strength * stripes) / 2);
  });
}

/** Gaussian blur of standard deviation `sigma` in pixels, truncated at 3 sigma; the border is repeated. */
export function blur(picture: Raster, sigma: number): Raster {
  if (sigma <= 0) return picture;
  const reach = Math.ceil(3 * sigma);
  const weights = Array.from({ length: 2 * reach + 1 }, (_, n) => Math.exp(-((n - reach) ** 2) / (2 * sigma ** 2)));
  const whole = weights.reduce((sum, weight) => sum + weight);
  const { height, width } = picture;
  const along = (source: Raster, dx: number, dy: number) =>
    drawn(source, (_at, x, y, c) => {
      let sum = 0;
      for (let n = -reach; n <= reach; n++) {
        const column = Math.min(width - 1, Math.max(0, x + n * dx));
        const row = Math.min(height - 1, Math.max(0, y + n * dy));
        sum += weights[n + reach] * source.data[(row * width + column) * 3 + c];
      }
      return sum / whole;
    });
  return along(along(picture, 1, 0), 0, 1);
}

/**
 * A lamp's reflection: v -> v + strength g (1 - v), g = exp(-d^2 / 2), d the distance from (x, y) in units of the two radii,
 * along axes rotated by the angle.
 * @param spot.x, spot.y and the radii as shares of the width; angle in degrees; strength in [0, 1].
 */
export function glare(
  picture: Raster,
  spot: { x: number; y: number; radii: readonly [number, number]; angle: number; strength: number },
): Raster {
  const { width } = picture;
  const [cosine, sine] = [Math.cos(radians(spot.angle)), Math.sin(radians(spot.angle))];
  return drawn(picture, (at, x, y) => {
    const [dx, dy] = [(x + 0.5) / width - spot.x, (y + 0.5) / width - spot.y];
    const along = (cosine * dx + sine * dy) / spot.radii[0];
    const across = (cosine * dy - sine * dx) / spot.radii[1];
    const v = picture.data[at];
    return v + spot.strength * Math.exp(-(along ** 2 + across ** 2) / 2) * (1 - v);
  });
}

/**
 * A sheet or a screen in front of a camera: the picture's corners (clockwise from the upper left) are seen at `corners`, in
 * shares of width and height, with a border of `border` times its sides, on a background. Sampling is bilinear.
 */
export function perspective(
  picture: Raster,
  sheet: { corners: readonly Point[]; border: number; borderColor: Color; background: Color },
): Raster {
  const { height, width, data } = picture;
  const seen = unproject(sheet.corners);
  const last = (own: number, most: number) => Math.min(most, Math.max(0, own));
  return drawn(picture, (_at, x, y, c) => {
    const [u, v] = seen((x + 0.5) / width, (y + 0.5) / height);
    const outside = Math.max(-u, u - 1, -v, v - 1);
    if (!(outside <= sheet.border)) return sheet.background[c];
    if (outside > 0) return sheet.borderColor[c];
    const [px, py] = [last(u * width - 0.5, width - 1), last(v * height - 0.5, height - 1)];
    const [left, top] = [Math.floor(px), Math.floor(py)];
    const [right, bottom] = [Math.min(width - 1, left + 1), Math.min(height - 1, top + 1)];
    const [fx, fy] = [px - left, py - top];
    const pixel = (row: number, column: number) => data[(row * width + column) * 3 + c];
    const upper = (1 - fx) * pixel(top, left) + fx * pixel(top, right);
    return (1 - fy) * upper + fy * ((1 - fx) * pixel(bottom, left) + fx * pixel(bottom, right));
  });
}

/** The inverse of the projective map from the unit square to four corners (P. Heckbert, "Fundamentals of Texture Mapping", 1989). */
function unproject([[x0, y0], [x1, y1], [x2, y2], [x3, y3]]: readonly Point[]): (x: number, y: number) => Point {
  const [dx1, dx2, sx] = [x1 - x2, x3 - x2, x0 - x1 + x2 - x3];
  const [dy1, dy2, sy] = [y1 - y2, y3 - y2, y0 - y1 + y2 - y3];
  const determinant = dx1 * dy2 - dx2 * dy1;
  const g = (sx * dy2 - dx2 * sy) / determinant;
  const h = (dx1 * sy - sx * dy1) / determinant;
  const [a, b, c] = [x1 - x0 + g * x1, x3 - x0 + h * x3, x0];
  const [d, e, f] = [y1 - y0 + g * y1, y3 - y0 + h * y3, y0];
  return (x, y) => {
    // The adjoint of [[a, b, c], [d, e, f], [g, h, 1]].
    const w = (d * h - e * g) * x + (b * g - a * h) * y + (a * e - b * d);
    return [
      ((e - f * h) * x + (c * h - b) * y + (b * f - c * e)) / w,
      ((f * g - d) * x + (a - c * g) * y + (c * d - a * f)) / w,
    ];
  };
}

/** A camera: v -> gain v + noise n for each channel, n standard normal and independent, clamped to [0, 1]. */
export function camera(picture: Raster, { gain, noise }: { gain: Color; noise: number }, random: Random): Raster {
  return drawn(picture, (at, _x, _y, c) => {
    const n = noise > 0 ? normal(random) : 0;
    return Math.min(1, Math.max(0, gain[c] * picture.data[at] + noise * n));
  });
}

/** One of the two values of the Box-Muller transform. */
function normal(random: Random): number {
  const radius = Math.sqrt(-2 * Math.log(1 - random.uniform()));
  return radius * Math.cos(turn * random.uniform());
}

export function fromBytes(bytes: Uint8Array, [height, width]: readonly [number, number]): Raster {
  return { height, width, data: Float32Array.from(bytes, (value) => value / 255) };
}

export function toBytes({ data }: Raster): Uint8Array {
  return Uint8Array.from(data, (value) => Math.round(255 * Math.min(1, Math.max(0, value))));
}
