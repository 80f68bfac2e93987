// What a network is built by: the sizes of its layers, and how its towers compute embeddings.

/**
 * `pixels`: the article's blocks. `edges`: `orientedGradients` in place of the first block. `histograms`: `edgeHistograms` of them,
 * normalised by the batch, in place of all blocks, so that the last layer alone is learnt.
 */
export const towerKinds = ["pixels", "edges", "histograms"] as const;
export type TowerKind = (typeof towerKinds)[number];

export const embeddingActivations = ["sigmoid", "linear", "relu"] as const;
export type EmbeddingActivation = (typeof embeddingActivations)[number];

export interface NetworkOptions {
  /** Height, width, channels. */
  readonly imageSize: readonly [number, number, number];
  /** Output channels of each block: conv 3x3 SAME -> max-pool 2x2 -> batch-norm -> ReLU. */
  readonly filters?: readonly number[];
  /** Length of the embedding. */
  readonly embedding?: number;
  /**
   * Of the last layer: `sigmoid`, as in the article, by default. `linear` leaves the directions of embeddings free, which
   * losses on distances want: between 0 and 1 no two are further apart than a right angle. `relu` is what many networks of
   * other frameworks end with.
   */
  readonly embeddingActivation?: EmbeddingActivation;
  /** Added to the variance that batch-norm divides by: 1e-3 by default, as in TensorFlow and the article; PyTorch's is 1e-5. */
  readonly batchNormEpsilon?: number;
  /**
   * Share of its old value that a moving average keeps at an update: 0.99 by default, as in TensorFlow. PyTorch's momentum
   * is the share of the new value: its default of 0.1 is 0.9 here.
   */
  readonly batchNormMomentum?: number;
  /** Of the initial weights. */
  readonly seed?: number;
  /**
   * One of the article's, `["pixels"]`, by default. Several learn side by side, each from its own part of a batch, and an embedding is
   * all of theirs behind one another: what one of them happens to take for a person's mark, the others do not. Few people are
   * too few to learn filters from: `edges` and `histograms` learn fewer, or none. Their constants suit standardised pictures.
   */
  readonly towers?: readonly TowerKind[];
  /**
   * Of a liveness network: it looks at square patches with a side of so many pixels of the picture at `imageSize`, without any
   * resizing (Atoum et al. 2017), and what its blocks find is averaged over a patch. Training draws one patch of each
   * picture; a picture's logit is the mean over a grid of patches. 0, the whole picture at once, by default.
   */
  readonly patch?: number;
  /** The theta of `centralDifference`, which all convolutions' filters go through; 0, filters as they are, by default. */
  readonly differences?: number;
}

/** Height and width of what a tower takes: a patch, or the whole picture. */
export const towerSize = ({ imageSize, patch }: NetworkOptions): [height: number, width: number] =>
  patch ? [patch, patch] : [imageSize[0], imageSize[1]];
