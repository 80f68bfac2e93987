// Preprocessing of pictures before the towers, in ONNX: linear maps along rows and columns, with square roots in
// between.

import { edgeDirections, histogramWindows } from "../../ops/images/edgeShape.ts";
import type { ResizeMethod, Transform } from "../../ops/images/resample.ts";
import type { Value } from "./graph.ts";
import type { Matrix, Operators } from "./operators.ts";

/** A matrix from its rows, each a list of positions on the axis, clamped to it, with their weights. */
export function matrixOf(
  rows: number,
  columns: number,
  row: (at: number) => Iterable<readonly [place: number, weight: number]>,
): Matrix {
  const values = new Float64Array(rows * columns);
  for (let at = 0; at < rows; at++) {
    for (const [place, weight] of row(at)) values[at * columns + Math.min(Math.max(place, 0), columns - 1)] += weight;
  }
  return { rows, columns, values };
}

/** The resampling of one axis, as in shaders/resample.forward.wgsl: output o samples position p = scale o + move. */
function axisOf(source: number, output: number, scale: number, move: number, method: ResizeMethod): Matrix {
  const reach = method === "area" ? (Math.max(1, Math.abs(scale)) + 1) / 2 : 1;
  return matrixOf(output, source, function* (at) {
    const place = scale * at + move;
    const weights: [number, number][] = [];
    for (let q = Math.floor(place - reach) + 1; q <= Math.ceil(place + reach) - 1; q++) {
      weights.push([q, Math.min(Math.max(reach - Math.abs(q - place), 0), 1)]);
    }
    const total = weights.reduce((sum, [, weight]) => sum + weight, 0);
    for (const [q, weight] of weights) yield [q, weight / total];
  });
}

const isIdentity = ({ rows, columns, values }: Matrix) =>
  rows === columns && Array.from(values).every((value, i) => value === (i % (rows + 1) === 0 ? 1 : 0));

/** Pictures under a transform without rotation: each axis is resampled separately. */
export function resampled(
  to: Operators,
  x: Value,
  transform: Transform,
  size: readonly [number, number],
  method: ResizeMethod,
): Value {
  const [yy, , , xx, y0, x0] = transform.map(Math.fround); // as float32, as on the GPU
  const [, , rows, columns] = x.shape as readonly [string, number, number, number];
  const down = axisOf(rows, size[0], yy, y0, method);
  const across = axisOf(columns, size[1], xx, x0, method);
  return to.separable(x, isIdentity(down) ? undefined : down, isIdentity(across) ? undefined : across);
}

/** src/ops/images/standardize.ts: each channel of each picture to mean 0 and variance 1. */
export function standardized(to: Operators, x: Value): Value {
  const [, , rows, columns] = x.shape as readonly [string, number, number, number];
  const mean = (value: Value) => to.binary("Mul", to.sum(value, [2, 3], { keep: true }), 1 / (rows * columns), "mean");
  const apart = (value: Value) => to.binary("Sub", value, mean(value));
  // Twice: runtimes add tens of thousands of values one after another, and the deviation of a picture with little
  // contrast is so small that the rounding error of such a mean matters. The mean of what remains corrects it.
  const centered = apart(apart(x));
  const deviation = to.unary("Sqrt", to.binary("Add", mean(to.square(centered)), 1e-5));
  return to.binary("Div", centered, deviation, "standardized");
}

/** Means of pairs of neighbors; an odd last one is dropped. */
const halves = (extent: number) => matrixOf(extent >> 1, extent, (at) => [[2 * at, 0.5], [2 * at + 1, 0.5]]); // biome-ignore format: one list
/** Means over five positions; the borders are repeated. */
const fives = (extent: number) => matrixOf(extent, extent, (at) => [-2, -1, 0, 1, 2].map((by) => [at + by, 0.2] as const)); // biome-ignore format: one list
const difference = (extent: number) => matrixOf(extent, extent, (at) => [[at + 1, 1], [at - 1, -1]]); // biome-ignore format: one list

/** The normalized edges by direction [N, 8, H / 2, W / 2] of gray pictures [N, 1, H, W]. */
export function edges(to: Operators, gray: Value): Value {
  const { graph } = to;
  const [, , height, width] = gray.shape as readonly [string, number, number, number];
  const dx = to.separable(gray, undefined, difference(width));
  const dy = to.separable(gray, difference(height), undefined);
  const length = to.unary("Sqrt", to.binary("Add", to.square(dx), to.square(dy)));
  const strength = to.binary("Add", length, 1e-3, "strength");
  const half = Math.SQRT1_2;
  const directions = [1, 0, half, half, 0, 1, -half, half]; // factors of dx and dy; the other four are their negatives
  const kernel = graph.constant("directions", [edgeDirections, 2, 1, 1], [...directions, ...directions.map((v) => -v)]);
  const along = to.unary("Relu", to.conv(to.concat([dx, dy], 1), kernel, undefined, 0));
  const shares = to.binary("Div", to.square(along), strength);
  const histogram = to.separable(shares, halves(height), halves(width));
  const energy = to.sum(to.square(histogram), [1], { keep: true });
  const about = to.separable(energy, fives(height >> 1), fives(width >> 1));
  const norm = to.binary("Add", to.unary("Sqrt", about), 0.1);
  return to.unary("Sqrt", to.binary("Add", to.binary("Div", histogram, norm), 0.01), "edges");
}

export function gray(to: Operators, x: Value): Value {
  const channels = x.shape[1] as number;
  return channels === 1 ? x : to.binary("Mul", to.sum(x, [1], { keep: true }), 1 / channels, "gray");
}

/** src/ops/images/orientedGradients.ts: edges, and the means of the pixels. */
export function orientedGradients(to: Operators, x: Value): Value {
  const [, , height, width] = x.shape as readonly [string, number, number, number];
  return to.concat([edges(to, gray(to, x)), to.separable(x, halves(height), halves(width))], 1);
}

/** src/ops/images/edgeHistograms.ts, of the edges alone. */
export function edgeHistograms(to: Operators, edges: Value): Value {
  const [, , rows, columns] = edges.shape as readonly [string, number, number, number];
  const windows = (extent: number) =>
    matrixOf(histogramWindows(extent), extent, (at) => [0, 1, 2, 3].map((by) => [2 * at + by, 0.25] as const));
  return to.unary("Sqrt", to.separable(to.square(edges), windows(rows), windows(columns)), "histograms");
}
