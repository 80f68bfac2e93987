// The views of a picture whose embeddings are averaged: a face is the same face mirrored, or a little further to the
// left, and the mean over what a picture happens to be like is nearer to what the person is like. What is averaged are
// unit embeddings where the loss compares directions, so that no view counts for more than another.
import { transformOf } from "../data/augmentation/drawAugmentation.ts";
import type { ResizeMethod, Transform } from "../ops/images/resample.ts";

/**
 * `mirror`: as it is, and mirrored (faces; not letters). `move`: as it is, larger and smaller by 6 %, up, down, left and
 * right by 3 % of the side. `zoom`: as it is, larger and smaller by 12 %. Together: as it is, each change by itself, and
 * every one of these mirrored.
 */
export const viewKinds = ["mirror", "move", "zoom"] as const;
export type ViewKind = (typeof viewKinds)[number];

/** Scale; downwards and to the right as shares of the side. */
const changes: Record<Exclude<ViewKind, "mirror">, readonly (readonly [scale: number, y: number, x: number])[]> = {
  move: [
    [1.06, 0, 0],
    [0.94, 0, 0],
    [1, 0.03, 0],
    [1, -0.03, 0],
    [1, 0, 0.03],
    [1, 0, -0.03],
  ],
  zoom: [
    [1.12, 0, 0],
    [0.88, 0, 0],
  ],
};

const unchanged = {
  window: { side: 1, y: 0, x: 0 },
  rotation: 0,
  blur: 0,
  brightness: 0,
  contrast: 1,
  noise: 0,
  gamma: 1,
  gain: 1,
  whiteBalance: { red: 1, blue: 1 },
  patch: { y: 0, x: 0 },
  erased: null,
};

/** One transform for each view, the picture as it is first. */
export function viewTransforms(
  kinds: readonly ViewKind[],
  source: readonly [number, number],
  output: readonly [number, number],
  method: ResizeMethod,
): Transform[] {
  const changed = viewKinds.flatMap((kind) => (kind !== "mirror" && kinds.includes(kind) ? changes[kind] : []));
  return (kinds.includes("mirror") ? [false, true] : [false]).flatMap((flip) =>
    [[1, 0, 0] as const, ...changed].map(([scale, y, x]) =>
      transformOf({ ...unchanged, scale, translation: { y, x }, flip }, source, output, method),
    ),
  );
}

/** Of each side of a picture, how many patches stand on it, evenly: they overlap where they are larger than a fifth of it. */
const patchesASide = 5;

/** Where patches with this side begin in a picture [height, width]: a grid of whole pixels from border to border. */
export function patchPlaces([height, width]: readonly [number, number], patch: number): [y: number, x: number][] {
  const places = (side: number) => {
    const room = side - patch;
    return [...new Set(Array.from({ length: patchesASide }, (_, n) => Math.round((n * room) / (patchesASide - 1))))];
  };
  return places(height).flatMap((y) => places(width).map((x): [number, number] => [y, x]));
}

/** Whether this is a list of views, each named once. */
export function areViews(value: unknown): value is readonly ViewKind[] {
  return (
    Array.isArray(value) &&
    value.length > 0 &&
    new Set(value).size === value.length &&
    value.every((kind) => viewKinds.includes(kind))
  );
}
