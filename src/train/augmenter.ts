// Augments the pictures of a batch before the tower: two launches that change each picture by its own random numbers,
// and the host's part, which draws them.
import {
  type Augmentation,
  changeOf,
  drawAugmentation,
  partOf,
  transformOf,
} from "../data/augmentation/drawAugmentation.ts";
import { type AugmentationRanges, type ResolvedRanges, resolveRanges } from "../data/augmentation/ranges.ts";
import { streams } from "../data/random.ts";
import { TwingradError } from "../errors.ts";
import { changeBytes, packChanges, photometric } from "../ops/images/photometric.ts";
import { type ResizeMethod, resample, type Transform } from "../ops/images/resample.ts";
import type { Tensor } from "../tape/tensor.ts";

/** Ranges, and the seed that each picture's own stream of random numbers is drawn with. */
export interface AugmentationOptions extends AugmentationRanges {
  /**
   * Seed of the random changes.
   * @default 0
   */
  readonly seed?: number;
}

type Size = readonly [height: number, width: number];

export class Augmenter {
  private readonly ranges: ResolvedRanges;
  private readonly seed: number;

  /** Maps pictures of size `source` to augmented ones of size `output`. */
  constructor(
    { seed = 0, ...ranges }: AugmentationOptions,
    private readonly source: Size,
    private readonly output: Size,
    private readonly method: ResizeMethod,
    /** The side of a patch cut from the augmented picture; 0 for the whole picture. */
    private readonly patch = 0,
  ) {
    if (!Number.isSafeInteger(seed) || seed < 0) {
      throw new TwingradError(
        "BAD_INPUT",
        `augmentation: the seed is ${seed}; expected an integer from 0 to 2^53 - 1.`,
      );
    }
    this.ranges = resolveRanges(ranges);
    this.seed = seed;
  }

  /** Augmented pictures in [0, 1] of the input `images`; adds the inputs whose values `inputs` computes. */
  record(images: Tensor): Tensor {
    const { tape, shape } = images;
    const transforms = tape.input("transforms", [shape[0], 6]);
    const changes = tape.input("changes", [shape[0], changeBytes], { dtype: "u8" });
    const moved = resample(images, transforms, this.seen, { method: this.method });
    return photometric(moved, changes, { seed: this.seed, noise: streams.pixelNoise, fill: streams.erasedPixels });
  }

  /** The changes of the picture with this stream. */
  draw(id: number): Augmentation {
    return drawAugmentation(this.ranges, this.seed, id);
  }

  /** The changes of the pictures with these streams, one for each picture of a batch. */
  inputs(ids: ArrayLike<number>): { transforms: Float32Array; changes: Uint8Array } {
    const drawn = Array.from(ids, (id) => this.draw(id));
    return {
      transforms: Float32Array.from(drawn.flatMap((a) => this.transform(a))),
      changes: packChanges(drawn.map((a, i) => changeOf(a, this.seen, ids[i]))),
    };
  }

  private get seen(): Size {
    return this.patch > 0 ? [this.patch, this.patch] : this.output;
  }

  private transform(augmentation: Augmentation): Transform {
    const whole = transformOf(augmentation, this.source, this.output, this.method);
    if (this.patch === 0) return whole;
    const { y, x } = augmentation.patch;
    const [below, right] = this.output.map((side) => side - this.patch + 1); // the number of positions, all equally likely
    return partOf(whole, Math.floor(y * below), Math.floor(x * right));
  }
}
