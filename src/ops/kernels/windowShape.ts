// The shape rule shared by convolution and pooling: the positions of windows along an axis.
import { ShapeError } from "../../errors.ts";
import { describe, type Tensor } from "../../tape/tensor.ts";

export type Padding = "same" | "valid";
/** One number for both axes, or [rows, columns]. */
export type Extent = number | readonly [number, number];

export interface Axis {
  readonly output: number;
  readonly size: number;
  readonly stride: number;
  /** Padding before the first element; the padding after the last follows from the other extents. */
  readonly before: number;
}

/**
 * Rows and columns of windows over an image, by TensorFlow's rule: `valid` has ceil((n - size + 1) / stride) windows
 * and no padding; `same` has ceil(n / stride), with the necessary padding split in two, the smaller half before.
 */
export function windows(
  operation: string,
  input: readonly [number, number],
  size: Extent,
  stride: Extent,
  padding: Padding,
): readonly [Axis, Axis] {
  if (padding !== "same" && padding !== "valid") {
    throw new ShapeError(operation, `padding is ${JSON.stringify(padding)}; expected "same" or "valid".`);
  }
  const both = (extent: Extent) => (typeof extent === "number" ? [extent, extent] : extent);
  const axis = (i: 0 | 1): Axis => {
    const [n, k, s] = [input[i], both(size)[i], both(stride)[i]];
    if (!(Number.isInteger(k) && k > 0 && Number.isInteger(s) && s > 0)) {
      throw new ShapeError(operation, `the window is ${k} and the stride ${s}; expected positive integers.`);
    }
    const output = padding === "same" ? Math.ceil(n / s) : Math.ceil((n - k + 1) / s);
    if (output < 1) {
      throw new ShapeError(operation, `a window of ${both(size).join(" x ")} does not fit into ${input.join(" x ")}.`);
    }
    const total = padding === "same" ? Math.max((output - 1) * s + k - n, 0) : 0;
    return { output, size: k, stride: s, before: Math.floor(total / 2) };
  };
  return [axis(0), axis(1)];
}

/** The four extents of an image tensor [B, H, W, C]; throws `SHAPE` for any other rank. */
export function image(operation: string, x: Tensor): readonly number[] {
  if (x.shape.length !== 4) throw new ShapeError(operation, `x is ${describe(x.shape)}; expected [B, H, W, C].`);
  return x.shape;
}
