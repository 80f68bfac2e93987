// Test-time augmentation: the embeddings of several views of a picture are averaged. A mirrored or slightly shifted
// face has the same identity, and the mean varies less with the picture. Where the loss compares directions, unit
// embeddings are averaged, so that all views have equal weight.
import { transformOf } from "../data/augmentation/drawAugmentation.ts";
import type { ResizeMethod, Transform } from "../ops/images/resample.ts";

/**
 * `mirror`: the picture, and its mirror image (for faces; not letters). `move`: the picture; scaled by 6 % up and down;
 * shifted by 3 % of the side up, down, left and right. `zoom`: the picture; scaled by 12 % up and down. Several kinds
 * together: the picture, each change alone, and the mirror images of all of these.
 */
export const viewKinds = ["mirror", "move", "zoom"] as const;
export type ViewKind = (typeof viewKinds)[number];

/** Scale factor; shifts down and to the right as shares of the side. */
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

/** One transform for each view, the unchanged picture first. */
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

/** Patches along each side of a picture, evenly spaced; they overlap where they are larger than a fifth of it. */
const patchesASide = 5;

/** The origins of patches with this side in a picture [height, width]: a grid of whole pixels from border to border. */
export function patchPlaces([height, width]: readonly [number, number], patch: number): [y: number, x: number][] {
  const places = (side: number) => {
    const room = side - patch;
    return [...new Set(Array.from({ length: patchesASide }, (_, n) => Math.round((n * room) / (patchesASide - 1))))];
  };
  return places(height).flatMap((y) => places(width).map((x): [number, number] => [y, x]));
}

/** Whether this is a list of distinct views. */
export function areViews(value: unknown): value is readonly ViewKind[] {
  return (
    Array.isArray(value) &&
    value.length > 0 &&
    new Set(value).size === value.length &&
    value.every((kind) => viewKinds.includes(kind))
  );
}
