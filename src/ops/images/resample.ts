// Resizes, rotates, mirrors and shifts pictures: one affine resampling of a whole batch, from bytes (or float32) to
// float32 in [0, 1].

import shader from "../../../shaders/resample.forward.wgsl";
import { ShapeError } from "../../errors.ts";
import { checkOptions } from "../../options.ts";
import type { Operation } from "../../tape/graph.ts";
import { tapeOf } from "../../tape/tape.ts";
import { describe, type Tensor } from "../../tape/tensor.ts";
import { image } from "../kernels/windowShape.ts";

/**
 * `area`: each pixel is the mean of the source area that it covers, bilinear if it covers less than a pixel; half-pixel
 * centers. `tf1`: TF1-compatible bilinear (`tf.image.resize_images`): samples at (y, x) * source / output, without
 * half-pixel centers and without antialiasing.
 */
export type ResizeMethod = "area" | "tf1";

/**
 * An affine map from pixels (y, x) of the output to points of the source, both relative to the center of the first
 * pixel: p = [[yy, yx], [xy, xx]] (y, x) + (y0, x0), in the order [yy, xy, yx, xx, y0, x0]. The matrix's columns must
 * be orthogonal: rotations, mirrors and per-axis scales are, shears are not.
 */
export type Transform = readonly [yy: number, xy: number, yx: number, xx: number, y0: number, x0: number];

/** The map that fits the whole source [height, width] into an output [height, width]. */
export function resizing(
  [sourceHeight, sourceWidth]: readonly [number, number],
  [height, width]: readonly [number, number],
  method: ResizeMethod,
): Transform {
  const y = sourceHeight / height;
  const x = sourceWidth / width;
  // Half-pixel centers: (o + 1/2) scale - 1/2.
  return method === "area" ? [y, 0, 0, x, (y - 1) / 2, (x - 1) / 2] : [y, 0, 0, x, 0, 0];
}

/**
 * Pictures [N, H, W, C], u8 or f32, seen through one `Transform` each ([N, 6]): [N, height, width, C] in [0, 1]. Beyond
 * its border a picture repeats the border. Not differentiable; apply it to inputs only.
 * @throws SHAPE for other ranks, and where there is not one transform for each picture.
 * @example
 * ```ts
 * const pictures = tape.input("pictures", [4, 112, 92, 1], { dtype: "u8" });
 * const seen = resample(pictures, tape.input("transforms", [4, 6]), [56, 46]); // [4, 56, 46, 1]
 * ```
 */
export function resample(
  x: Tensor,
  transforms: Tensor,
  size: readonly [height: number, width: number],
  options: { readonly method?: ResizeMethod } = {},
): Tensor {
  checkOptions("resample", options, { method: 1 });
  const tape = tapeOf("resample", x, transforms);
  const { method = "area" } = options;
  const [count, , , channels] = image("resample", x);
  const [height, width] = size;
  if (![height, width].every((n) => Number.isInteger(n) && n > 0)) {
    throw new ShapeError("resample", `the size is ${describe(size)}; expected positive integers [height, width].`);
  }
  if (describe(transforms.shape) !== describe([count, 6])) {
    const got = describe(transforms.shape);
    throw new ShapeError("resample", `the transforms have shape ${got}; expected ${describe([count, 6])}.`);
  }
  if (method !== "area" && method !== "tf1") {
    throw new ShapeError("resample", `the method is ${JSON.stringify(method)}; expected area or tf1.`);
  }
  return tape.record(operation, [x, transforms], { method }, [count, height, width, channels]);
}

const operation: Operation<{ readonly method: ResizeMethod }> = {
  name: "resample",
  lower({ inputs: [x, transforms], outputs: [output], options: { method } }, to) {
    const [, SOURCE_HEIGHT, SOURCE_WIDTH] = x.shape;
    const [count, HEIGHT, WIDTH, CHANNELS] = output.shape;
    const GROUPS = Math.ceil(CHANNELS / 4);
    const sizes = { SOURCE_HEIGHT, SOURCE_WIDTH, HEIGHT, WIDTH, CHANNELS, GROUPS };
    const flags = { BYTES: Number(x.dtype === "u8"), AREA: Number(method === "area") };
    const grid = [Math.ceil((HEIGHT * WIDTH * GROUPS) / 64), count] as const;
    to.launch(shader, { x, transforms, output }, { ...sizes, ...flags }, grid);
  },
};

/** The same transform for each of `count` pictures, [count, 6]. */
export const repeated = (transform: Transform, count: number): Float32Array =>
  Float32Array.from({ length: count * 6 }, (_, i) => transform[i % 6]);

/**
 * Pictures [N, H, W, C], u8 or f32, in another size: [N, height, width, C] in [0, 1].
 * @throws SHAPE for other ranks.
 * @example
 * ```ts
 * const seen = resize(tape.input("pictures", [4, 112, 92, 1], { dtype: "u8" }), [56, 46]); // [4, 56, 46, 1] in [0, 1]
 * ```
 */
export function resize(
  x: Tensor,
  size: readonly [height: number, width: number],
  options: { readonly method?: ResizeMethod } = {},
): Tensor {
  checkOptions("resize", options, { method: 1 });
  const [count, height, width] = image("resize", x);
  const transform = resizing([height, width], size, options.method ?? "area");
  const rows = repeated(transform, count);
  return resample(x, tapeOf("resize", x).constant("resizing", [count, 6], rows), size, options);
}
