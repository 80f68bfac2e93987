// Photometric augmentation: blur, exposure and color, brightness and contrast, noise, and an erased rectangle. Geometry
// stays unchanged.
import shader from "../../../shaders/photometric.forward.wgsl";
import { ShapeError } from "../../errors.ts";
import type { Operation } from "../../tape/graph.ts";
import { tapeOf } from "../../tape/tape.ts";
import { describe, type Tensor } from "../../tape/tensor.ts";
import { image } from "../kernels/windowShape.ts";

/** One picture's change, v -> clamp(gain * min(exposure * blurred v^gamma, 1) + offset + noise, 0, 1). */
export interface PhotometricChange {
  /** Exponent of each value. @default 1 */
  readonly gamma?: number;
  /**
   * Factors of red, green and blue, clipped at full scale as by a camera; gray pictures take that of green.
   * @default 1
   */
  readonly exposure?: readonly [red: number, green: number, blue: number];
  /** Contrast: what each value is multiplied by. */
  readonly gain: number;
  /** Brightness: what is added to each value; full scale is 1. */
  readonly offset: number;
  /** Standard deviation of the noise, independent for each value; full scale is 1. */
  readonly noise: number;
  /** Standard deviation of the Gaussian blur, in pixels; truncated at three deviations. 0 means no blur. */
  readonly blur: number;
  /** The number of the picture's random stream, a uint32. */
  readonly seed: number;
  /** A rectangle erased with uniform noise: rows from top to before bottom, columns from left to before right. */
  readonly erased: {
    /** First row. */
    readonly top: number;
    /** First column. */
    readonly left: number;
    /** The row after the last. */
    readonly bottom: number;
    /** The column after the last. */
    readonly right: number;
  };
}

/** Bytes of one picture's change as the kernel reads it. */
export const changeBytes = 56;

/**
 * The changes as the kernel reads them, for an input [N, changeBytes] of dtype u8.
 * @returns [N, changeBytes].
 * @example
 * ```ts
 * const none = { gain: 1, offset: 0, noise: 0, blur: 0, seed: 1, erased: { top: 0, left: 0, bottom: 0, right: 0 } };
 * const values = packChanges([{ ...none, gain: 1.2 }, { ...none, offset: -0.1 }]);
 * ```
 */
export function packChanges(changes: readonly PhotometricChange[]): Uint8Array {
  const bytes = new Uint8Array(changes.length * changeBytes);
  const view = new DataView(bytes.buffer);
  changes.forEach(({ gamma = 1, exposure = [1, 1, 1], gain, offset, noise, blur, seed, erased }, i) => {
    const at = i * changeBytes;
    const falloff = blur > 0 ? 1 / (2 * blur ** 2) : 0;
    const floats = [gamma, ...exposure, gain, offset, noise, falloff];
    const integers = [Math.ceil(3 * blur), seed, erased.top, erased.left, erased.bottom, erased.right];
    for (const [n, value] of floats.entries()) view.setFloat32(at + 4 * n, value, true);
    for (const [n, value] of integers.entries()) view.setUint32(at + 32 + 4 * n, value, true);
  });
  return bytes;
}

/** The key of the random generator, and the stream numbers of its two uses. */
export interface PhotometricRandom {
  /** An integer in [0, 2^53). */
  readonly seed: number;
  /** The stream of the noise. */
  readonly noise: number;
  /** The stream of the noise in erased rectangles. */
  readonly fill: number;
}

/**
 * Pictures [N, H, W, C] in [0, 1] under one change each, packed in [N, changeBytes]. Columns 4 k to 4 k + 3 of row y in
 * channel c take their noise from block (c * H + y) * ceil(W / 4) + k of Philox4x32-10. Not differentiable; apply it to
 * inputs only.
 * @returns The shape of `x`, in [0, 1].
 * @example
 * ```ts
 * const images = tape.input("images", [4, 56, 46, 1]);
 * const none = { gain: 1, offset: 0, noise: 0, blur: 0, seed: 1, erased: { top: 0, left: 0, bottom: 0, right: 0 } };
 * const bytes = packChanges([none]).length;
 * const changed = photometric(images, tape.input("changes", [4, bytes], { dtype: "u8" }), { seed: 1, noise: 1, fill: 2 });
 * ```
 */
export function photometric(x: Tensor, changes: Tensor, random: PhotometricRandom): Tensor {
  const tape = tapeOf("photometric", x, changes);
  const [count] = image("photometric", x);
  if (describe(changes.shape) !== describe([count, changeBytes]) || changes.dtype !== "u8" || x.dtype !== "f32") {
    const got = `${x.dtype} pictures and ${changes.dtype} changes ${describe(changes.shape)}`;
    const expected = `f32 pictures and u8 changes ${describe([count, changeBytes])}`;
    throw new ShapeError("photometric", `got ${got}; expected ${expected}.`);
  }
  return tape.record(operation, [x, changes], random, x.shape);
}

const operation: Operation<PhotometricRandom> = {
  name: "photometric",
  lower({ inputs: [x, changes], outputs: [output], options: { seed, noise: NOISE, fill: FILL } }, to) {
    const [count, HEIGHT, WIDTH, CHANNELS] = x.shape;
    const FOURS = Math.ceil(WIDTH / 4);
    const key = { KEY_LOW: seed % 2 ** 32, KEY_HIGH: Math.floor(seed / 2 ** 32), NOISE, FILL };
    const grid = [Math.ceil((FOURS * HEIGHT * CHANNELS) / 64), count] as const;
    to.launch(shader, { x, changes, output }, { HEIGHT, WIDTH, CHANNELS, FOURS, ...key }, grid);
  },
};
