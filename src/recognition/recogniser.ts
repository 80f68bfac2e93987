// What galleries and distances to people are computed with, whatever made the embeddings.
import type { GalleryIndex } from "./galleryIndex.ts";

/** What a gallery needs of a model; `Model` is one. */
export interface Recogniser {
  /** Of the weights and options that embeddings depend on: two models that differ in it cannot share a gallery. */
  readonly fingerprint: string;
  /** The number of values of an embedding. */
  readonly embedding: number;
  /** Pairs at most this far apart are taken for one person. */
  readonly threshold: number;
  /** Height, width, channels of the pictures that it takes, where it tells. */
  readonly imageSize?: readonly [number, number, number];
  /** Whether embeddings have unit length. */
  readonly unitLength?: boolean;
  /** [N, H, W, C] pictures to [N, embedding]. */
  embed(images: Uint8Array | Float32Array): Promise<Float32Array>;
  /** The distance of each row of `a` and the same row of `b`; smaller means more alike. */
  distances(a: Float32Array, b: Float32Array): Float64Array;
  /** The chance that a pair at this distance is one person. */
  probability(distance: number): number;
  /** An empty matrix of embeddings on the model's device, searched by its distance, for galleries of many people. */
  index?(): GalleryIndex;
}
