// Aligns pictures of faces: each is translated and scaled so that its edges match those of the mean face. Position and
// size of the face then no longer vary between pictures of one identity. The network need not learn that invariance
// from few identities, and the mean over views does not have to blur it away. This is congealing (Learned-Miller 2006).
//
// T is the template; f_m is the edge map (src/data/alignment/edgeMap.ts) of the picture under a placement m = (scale,
// dy, dx). Both are cut to the same window, and the mean of each direction is subtracted. dy and dx are in cells:
//
//   m = argmax  T . f_m / (|T| |f_m|) - 0.02 (dy^2 + dx^2) - 5 ln(scale)^2
//
// The template is fitted iteratively: first it is the mean over the unaligned pictures, then over the aligned pictures
// and their mirror images. It is fitted to the training identities; each other picture is placed independently. The
// host computes in float64, so that placements do not depend on the adapter.
import { TwingradError } from "../../errors.ts";
import { changed, type Dataset, type Item } from "../dataset.ts";
import type { ImageSize } from "../imageSize.ts";
import { type Alignment, directions, longerSide, margin, shortestSide } from "./alignmentForm.ts";
import { edgeMap } from "./edgeMap.ts";
import { placed } from "./placement.ts";

/** How many cells the window may move in each direction. */
const reach = 4;
const scales = [1, 0.94, 1.07, 0.88, 1.14, 0.82, 1.22];
const [perCell, perScale] = [0.02, 5];
const rounds = 5;
const strides = Array.from({ length: 2 * reach + 1 }, (_, i) => i - reach);
/** Nearest first: ties go to the nearest move, and the bound on the penalty skips most distant ones. */
const moves: readonly Move[] = strides
  .flatMap((dy) => strides.map((dx) => ({ dy, dx })))
  .sort((a, b) => a.dy ** 2 + a.dx ** 2 - b.dy ** 2 - b.dx ** 2);
const unmoved: Cells = { scale: 1, dy: 0, dx: 0 };
/** A smaller norm of a window is rounding error. */
const leastNorm = 1e-4;

interface Move {
  readonly dy: number;
  readonly dx: number;
}

/** A placement; dy and dx in cells. */
interface Cells extends Move {
  readonly scale: number;
}

/** A picture's edge map at one scale, padded by repeating its border as far as the window moves beyond it. */
interface View {
  readonly map: Float32Array;
  /** |f_m| of each of `moves`. */
  readonly norms: Float64Array;
}

const grid = ([height, width]: ImageSize): readonly [rows: number, columns: number] => {
  const longer = Math.max(height, width);
  const cells = (side: number) => Math.max(shortestSide, Math.round((longerSide * side) / longer));
  return [cells(height), cells(width)];
};

/**
 * Fits an alignment to pictures [N, H, W, C] of training identities. Some hundred pictures are enough; each takes about
 * 50 ms in the calling thread.
 * @throws BAD_INPUT if the pictures show no edges, or their number of values is not a multiple of the size of one
 * picture.
 * @example
 * ```ts
 * const size: ImageSize = [56, 46, 1];
 * const pictures = await new DecodedImages(dataset, size).stack([0, 1, 2, 3]);
 * const alignment = fitAlignment(pictures, size);
 * ```
 */
export function fitAlignment(pictures: Uint8Array | Float32Array, size: ImageSize): Alignment {
  const cells = grid(size);
  const all = split(pictures, size).map((picture) => viewsOf(picture, size, cells));
  let template = meanFace(
    all,
    all.map(() => unmoved),
    cells,
  );
  for (let round = 1; round < rounds; round++) {
    const now = Float64Array.from(template);
    const places = all.map((views) => bestPlace(now, cells, views));
    template = meanFace(all, places, cells);
  }
  return { rows: cells[0], columns: cells[1], template };
}

/**
 * Aligns pictures [N, H, W, C]; bytes stay bytes. @throws BAD_INPUT for another aspect ratio than the alignment's.
 * @example
 * ```ts
 * const size: ImageSize = [56, 46, 1];
 * const inPlace = aligned(fitAlignment(images, size), images, size);
 * ```
 */
export function aligned<P extends Uint8Array | Float32Array>(alignment: Alignment, pictures: P, size: ImageSize): P {
  const [rows, columns] = grid(size);
  if (rows !== alignment.rows || columns !== alignment.columns) {
    const [height, width] = size;
    const fitted = `${alignment.columns}:${alignment.rows}`;
    throw new TwingradError(
      "BAD_INPUT",
      `Invalid picture size ${width} x ${height}: the alignment was fitted to the aspect ratio ${fitted}; fit it again for this size.`,
    );
  }
  const template = Float64Array.from(alignment.template);
  const result = pictures.slice() as P;
  const length = size[0] * size[1] * size[2];
  for (const [n, picture] of split(pictures, size).entries()) {
    const { scale, dy, dx } = bestPlace(template, [rows, columns], viewsOf(picture, size, [rows, columns]));
    const moved = placed(picture, size, { scale, y: dy / rows, x: dx / columns }, [size[0], size[1]]);
    result.set(pictures instanceof Uint8Array ? moved.map(Math.round) : moved, n * length);
  }
  return result;
}

/**
 * The dataset with each picture aligned when it is decoded. Decode to the aspect ratio that the alignment was fitted
 * to.
 * @example
 * ```ts
 * const people = alignedDataset(dataset, fitAlignment(images, [56, 46, 1]));
 * ```
 */
export function alignedDataset<I extends Item>(dataset: Dataset<I>, alignment: Alignment): Dataset<I> {
  const items = dataset.items.map((item) =>
    changed(item, { decode: async (size) => aligned(alignment, await item.decode(size), size) }),
  );
  return { identities: dataset.identities, items };
}

function split<P extends Uint8Array | Float32Array>(pictures: P, size: ImageSize): P[] {
  const length = size[0] * size[1] * size[2];
  const count = pictures.length / length;
  if (Number.isInteger(count) && count > 0) {
    return Array.from({ length: count }, (_, n) => pictures.subarray(n * length, (n + 1) * length) as P);
  }
  const shape = ["N", ...size].join(", ");
  throw new TwingradError(
    "BAD_INPUT",
    `Invalid pictures: ${pictures.length} values are not a multiple of the size of one picture; expected [${shape}].`,
  );
}

/** A picture's edge maps at each of the scales. */
function viewsOf(picture: Uint8Array | Float32Array, size: ImageSize, cells: readonly [number, number]): View[] {
  const [height, width, channels] = size;
  const [rows, columns] = cells;
  const gray = new Float64Array(height * width);
  const whole = channels * (picture instanceof Uint8Array ? 255 : 1);
  for (let i = 0; i < picture.length; i++) gray[Math.floor(i / channels)] += picture[i] / whole;
  return scales.map((scale) => {
    const seen = placed(gray, [height, width, 1], { scale, y: 0, x: 0 }, [2 * rows, 2 * columns]);
    const map = padded(edgeMap(seen, 2 * rows, 2 * columns), cells);
    return { map, norms: normsOf(map, cells) };
  });
}

/** A map minus its mean in each direction, padded by repeating its border. */
function padded(map: Float32Array, [rows, columns]: readonly [number, number]): Float32Array {
  const around = reach - margin;
  const inside = (i: number, length: number) => Math.min(Math.max(i - around, 0), length - 1);
  const means = new Float64Array(directions);
  for (let i = 0; i < map.length; i++) means[i % directions] += map[i] / (rows * columns);
  const [tall, wide] = [rows + 2 * around, columns + 2 * around];
  const result = new Float32Array(tall * wide * directions);
  for (let row = 0, to = 0; row < tall; row++) {
    for (let column = 0; column < wide; column++) {
      const from = (inside(row, rows) * columns + inside(column, columns)) * directions;
      for (let b = 0; b < directions; b++, to++) result[to] = map[from + b] - means[b];
    }
  }
  return result;
}

/** Where each line of the window begins in a padded map, for a move, and how many numbers it has. */
function windowLines([rows, columns]: readonly [number, number], { dy, dx }: Move) {
  const [tall, wide] = [rows - 2 * margin, columns + 2 * (reach - margin)];
  const begins = Array.from({ length: tall }, (_, row) => ((reach - dy + row) * wide + reach - dx) * directions);
  return { begins, length: (columns - 2 * margin) * directions };
}

function normsOf(map: Float32Array, cells: readonly [number, number]): Float64Array {
  const energies = new Float64Array(map.length / directions); // once per cell, not once per window that holds it
  for (let i = 0; i < map.length; i++) energies[Math.floor(i / directions)] += map[i] * map[i];
  return Float64Array.from(moves, (move) => {
    const { begins, length } = windowLines(cells, move);
    let energy = 0;
    for (const begin of begins) {
      const first = begin / directions;
      for (let cell = first; cell < first + length / directions; cell++) energy += energies[cell];
    }
    return Math.sqrt(energy);
  });
}

function bestPlace(template: Float64Array, cells: readonly [number, number], views: readonly View[]): Cells {
  const norm = Math.sqrt(template.reduce((sum, value) => sum + value * value, 0));
  let [best, most] = [unmoved, Number.NEGATIVE_INFINITY];
  for (const [n, move] of moves.entries()) {
    const { begins, length } = windowLines(cells, move);
    for (const [s, { map, norms }] of views.entries()) {
      const penalty = perCell * (move.dy ** 2 + move.dx ** 2) + perScale * Math.log(scales[s]) ** 2;
      if (1 - penalty <= most) continue; // a cosine is at most 1
      let [product, t] = [0, 0];
      for (const begin of begins) for (let i = begin; i < begin + length; i++, t++) product += template[t] * map[i];
      const value = (norms[n] > leastNorm ? product / (norm * norms[n]) : 0) - penalty;
      if (value > most) [best, most] = [{ ...move, scale: scales[s] }, value];
    }
  }
  return best;
}

/** The mean of the aligned pictures and their mirror images, as a template. */
function meanFace(
  all: readonly (readonly View[])[],
  places: readonly Cells[],
  cells: readonly [number, number],
): number[] {
  const [tall, wide] = [cells[0] - 2 * margin, cells[1] - 2 * margin];
  const sum = new Float64Array(tall * wide * directions);
  for (const [n, views] of all.entries()) {
    const { begins, length } = windowLines(cells, places[n]);
    const { map } = views[scales.indexOf(places[n].scale)];
    let t = 0;
    for (const begin of begins) for (let i = begin; i < begin + length; i++, t++) sum[t] += map[i];
  }
  const both = sum.map((value, t) => {
    const [b, cell] = [t % directions, Math.floor(t / directions)];
    const mirrored = cell + wide - 1 - 2 * (cell % wide);
    return value + sum[mirrored * directions + ((directions + directions / 2 - b) % directions)];
  });
  const largest = both.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
  if (largest > 1e-3) return Array.from(both, (value) => Math.round((127 * value) / largest));
  throw new TwingradError("BAD_INPUT", `Cannot fit an alignment: the ${all.length} pictures show no edges.`);
}
