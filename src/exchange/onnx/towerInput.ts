// The input of a tower from the given pictures, in ONNX: resized, cut into views or patches, standardized.
import type { PictureOptions } from "../../model/pictures.ts";
import { patchPlaces, viewTransforms } from "../../model/views.ts";
import type { NetworkOptions } from "../../nn/networkOptions.ts";
import { resizing } from "../../ops/images/resample.ts";
import type { Value } from "./graph.ts";
import type { Operators } from "./operators.ts";
import { resampled, standardized } from "./pictures.ts";

/**
 * The towers' input [parts N, C, h, w] from pictures [N, C, H, W], ordered by part, then by picture, and the number of
 * parts (views or patches) of each picture.
 */
export function towerInput(
  to: Operators,
  pictures: Value,
  { imageSize, patch }: Required<NetworkOptions>,
  { views, resize: method = "area", standardize }: PictureOptions,
): { readonly x: Value; readonly parts: number } {
  const [, , height, width] = pictures.shape as readonly [string, number, number, number];
  const size = [imageSize[0], imageSize[1]] as const;
  const transforms = views
    ? viewTransforms(views, [height, width], size, method)
    : [resizing([height, width], size, method)];
  const whole = transforms.map((transform) => resampled(to, pictures, transform, size, method));
  const parts = patch > 0 ? whole.flatMap((x) => patchesOf(to, x, patch)) : whole;
  const x = to.concat(parts, 0, "views");
  return { x: standardize ? standardized(to, x) : x, parts: parts.length };
}

function patchesOf(to: Operators, x: Value, patch: number): Value[] {
  const [, , height, width] = x.shape as readonly [string, number, number, number];
  return patchPlaces([height, width], patch).map(([row, column]) =>
    to.slice(to.slice(x, 2, row, row + patch), 3, column, column + patch),
  );
}
