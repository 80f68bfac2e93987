// The interface of a model for galleries and distances to people, whatever computed the embeddings.
import type { GalleryIndex } from "./galleryIndex.ts";

/** What a gallery needs of a model; `Model` implements it. */
export interface Recognizer {
  /**
   * Identifies the weights and options that embeddings depend on: models with different fingerprints cannot share a
   * gallery.
   */
  readonly fingerprint: string;
  /** The length of an embedding. */
  readonly embedding: number;
  /** Pairs with at most this distance are accepted as the same person. */
  readonly threshold: number;
  /** Height, width, channels of the input pictures, where known. */
  readonly imageSize?: readonly [number, number, number];
  /** Whether embeddings have unit length. */
  readonly unitLength?: boolean;
  /** [N, H, W, C] pictures to [N, embedding]. */
  embed(images: Uint8Array | Float32Array): Promise<Float32Array>;
  /** The distance of each row of `a` and the same row of `b`; smaller means more alike. */
  distances(a: Float32Array, b: Float32Array): Float64Array;
  /** The probability that a pair at this distance shows the same person. */
  probability(distance: number): number;
  /** An empty index of embeddings on the model's device, searched by its distance, for large galleries. */
  index?(): GalleryIndex;
}
