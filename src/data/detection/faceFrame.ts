// Aligns a face to a standard frame by its landmarks, so that eyes, nose and mouth lie at the same places in every
// picture. The alignment is one similarity transform (rotation, scale, translation). The host computes it once, when a
// picture is decoded, so that a face has the same pixels on every adapter and in every program.
import type { ImageSize } from "../imageSize.ts";
import type { FaceLandmarks, Point } from "./faceFinder.ts";

/**
 * The landmarks in the frame, as shares of its side: the five points of ArcFace's pictures of 112 x 112 (Deng et al.
 * 2019, after SphereFace's 112 x 96).
 */
export const standardFrame: FaceLandmarks = [
  [38.2946 / 112, 51.6963 / 112],
  [73.5318 / 112, 51.5014 / 112],
  [56.0252 / 112, 71.7366 / 112],
  [41.5493 / 112, 92.3655 / 112],
  [70.7299 / 112, 92.2041 / 112],
];

/** (x, y) to (a x - b y + x0, b x + a y + y0). */
export interface Similarity {
  readonly a: number;
  readonly b: number;
  readonly x0: number;
  readonly y0: number;
}

/**
 * The similarity that maps one set of points to another with least squared error (Umeyama 1991, without reflection).
 */
export function similarity(from: readonly Point[], to: readonly Point[]): Similarity {
  const [fx, fy] = meanOf(from);
  const [tx, ty] = meanOf(to);
  let along = 0;
  let across = 0;
  let spread = 0;
  for (const [i, [px, py]] of from.entries()) {
    const [x, y, u, v] = [px - fx, py - fy, to[i][0] - tx, to[i][1] - ty];
    along += x * u + y * v;
    across += x * v - y * u;
    spread += x * x + y * y;
  }
  const [a, b] = [along / spread, across / spread];
  return { a, b, x0: tx - a * fx + b * fy, y0: ty - b * fx - a * fy };
}

function meanOf(points: readonly Point[]): Point {
  const sum = points.reduce<Point>(([x, y], [u, v]) => [x + u, y + v], [0, 0]);
  return [sum[0] / points.length, sum[1] / points.length];
}

/**
 * From pixels of the network's picture to pixels of the photograph. The frame is the largest centered square of the
 * network's picture; `margin` enlarges the crop on every side, as a share of the frame's side.
 */
export function frameToPicture(
  landmarks: FaceLandmarks,
  [height, width]: readonly [number, number],
  margin = 0,
): Similarity {
  const side = Math.min(height, width) / (1 + 2 * margin);
  const [left, top] = [(width - side) / 2, (height - side) / 2];
  return similarity(
    standardFrame.map(([x, y]): Point => [left + x * side, top + y * side]),
    landmarks,
  );
}

/** The upright rectangle of the photograph that holds everything the network's picture shows, in whole pixels. */
export function shownPart(
  map: Similarity,
  [height, width]: readonly [number, number],
  picture: readonly [number, number],
) {
  const corners = [0, width].flatMap((x) => [0, height].map((y) => applied(map, [x, y])));
  const within = (value: number, most: number) => Math.min(most, Math.max(0, value));
  const spare = Math.ceil(Math.hypot(map.a, map.b)) + 1; // border pixels needed by interpolation
  const part = ([least, most]: readonly [number, number], whole: number) => {
    const start = within(Math.floor(least) - spare, whole - 1);
    return [start, Math.max(1, within(Math.ceil(most) + spare, whole) - start)];
  };
  const range = (axis: 0 | 1): [number, number] => {
    const values = corners.map((corner) => corner[axis]);
    return [Math.min(...values), Math.max(...values)];
  };
  const [left, shownWidth] = part(range(0), picture[1]);
  const [top, shownHeight] = part(range(1), picture[0]);
  return { left, top, width: shownWidth, height: shownHeight };
}

export function applied({ a, b, x0, y0 }: Similarity, [x, y]: Point): Point {
  return [a * x - b * y + x0, b * x + a * y + y0];
}

/**
 * A picture [H, W, C] resampled through a map from pixels of the result [height, width, C]. Where the result is
 * smaller, each of its pixels is the mean of bilinear samples spread evenly over it, one for each source pixel it
 * covers. The border is repeated.
 */
export function resampledThrough(
  map: Similarity,
  pixels: Uint8Array,
  [sourceHeight, sourceWidth, channels]: ImageSize,
  [height, width]: readonly [number, number],
): Uint8Array {
  const parts = Math.max(1, Math.round(Math.hypot(map.a, map.b)));
  const result = new Uint8Array(height * width * channels);
  const sums = new Float64Array(channels);
  const inside = (value: number, most: number) => Math.min(most, Math.max(0, value));
  for (let row = 0, to = 0; row < height; row++) {
    for (let column = 0; column < width; column++) {
      sums.fill(0);
      for (let part = 0; part < parts * parts; part++) {
        const across = column + ((part % parts) + 0.5) / parts;
        const down = row + (Math.floor(part / parts) + 0.5) / parts;
        const x = map.a * across - map.b * down + map.x0 - 0.5;
        const y = map.b * across + map.a * down + map.y0 - 0.5;
        const [left, top] = [Math.floor(x), Math.floor(y)];
        const [u, v] = [x - left, y - top];
        const [x0, x1] = [inside(left, sourceWidth - 1), inside(left + 1, sourceWidth - 1)];
        const [y0, y1] = [inside(top, sourceHeight - 1) * sourceWidth, inside(top + 1, sourceHeight - 1) * sourceWidth];
        for (let c = 0; c < channels; c++) {
          const at = (place: number) => pixels[place * channels + c];
          sums[c] +=
            (at(y0 + x0) * (1 - u) + at(y0 + x1) * u) * (1 - v) + (at(y1 + x0) * (1 - u) + at(y1 + x1) * u) * v;
        }
      }
      for (let c = 0; c < channels; c++) result[to++] = Math.round(sums[c] / (parts * parts));
    }
  }
  return result;
}
