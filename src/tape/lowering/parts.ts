// Tensors too large for one binding: a batch of images split into several storages. A launch takes a range of the batch
// within one part; sums over the batch continue from launch to launch, so they stay exact.
import type { Lowering } from "../lower.ts";
import { type Dtype, Storage } from "./storage.ts";

/**
 * Bytes of a part. A large tensor has several even if one binding could hold it: parts that were read for the last time
 * make room for the next ones to be written.
 */
const mostBytes = 128 * 2 ** 20;

/** The part that holds an image, and the image's index there. */
export interface Place {
  readonly storage: Storage;
  readonly first: number;
}

export class Parts {
  readonly storages: readonly Storage[];
  /** Images in each part; the last may have fewer. */
  readonly images: number;
  readonly dtype: Dtype;

  private constructor(storages: readonly Storage[], images: number, dtype: Dtype) {
    this.storages = storages;
    this.images = images;
    this.dtype = dtype;
  }

  /** New temporaries for `images` images of the given size; `each` in a part, or as many as fit. */
  static temporary(
    to: Lowering,
    name: string,
    images: number,
    elements: number,
    dtype: Dtype,
    each = imagesWithin(to, images, new Storage("temporary", name, elements, dtype).bytes, mostBytes),
  ): Parts {
    to.device.checkMemory(`"${name}"`, new Storage("temporary", name, images * elements, dtype).bytes);
    const count = Math.ceil(images / each);
    const storages = Array.from({ length: count }, (_, i) => {
      const held = Math.min(each, images - i * each);
      return new Storage("temporary", count === 1 ? name : `${name} (part ${i + 1})`, held * elements, dtype);
    });
    return new Parts(storages, each, dtype);
  }

  /** A whole tensor as one part. */
  static whole(storage: Storage, images: number): Parts {
    return new Parts([storage], images, storage.dtype);
  }

  at(image: number): Place {
    return { storage: this.storages[Math.floor(image / this.images)], first: image % this.images };
  }
}

/**
 * The number of images that one binding holds: all, or a power of two, so that the parts of tensors of different sizes
 * start at the same images. At least one: the compiler reports images that are too large.
 */
export function imagesWithin(to: Lowering, images: number, bytes: number, most = Number.POSITIVE_INFINITY): number {
  const { maxStorageBufferBindingSize, maxBufferSize } = to.device.gpu.limits;
  const fitting = Math.max(1, Math.floor(Math.min(maxStorageBufferBindingSize, maxBufferSize, most) / bytes));
  return fitting >= images ? images : 2 ** Math.floor(Math.log2(fitting));
}
