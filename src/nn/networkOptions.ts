// The options of a network: the sizes of its layers, and how its towers compute embeddings.

/**
 * `pixels`: the article's blocks. `edges`: `orientedGradients` replaces the first block. `histograms`: `edgeHistograms`
 * of them, batch-normalized, replaces all blocks, so that only the last layer is trained.
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
   * Activation of the last layer: `sigmoid`, as in the article, by default. `linear` leaves the directions of
   * embeddings free, which losses on distances need: between 0 and 1 no two embeddings are further apart than a right
   * angle. `relu` is common in networks of other frameworks.
   */
  readonly embeddingActivation?: EmbeddingActivation;
  /**
   * Added to the variance in batch-norm: 1e-3 by default, as in TensorFlow and the article; PyTorch's default is 1e-5.
   */
  readonly batchNormEpsilon?: number;
  /**
   * Share of its old value that a moving average keeps at an update: 0.99 by default, as in TensorFlow. PyTorch's
   * momentum is the share of the new value: its default of 0.1 is 0.9 here.
   */
  readonly batchNormMomentum?: number;
  /** Seed of the initial weights. */
  readonly seed?: number;
  /**
   * The article's one tower, `["pixels"]`, by default. Several towers train side by side, each on its own part of a
   * batch, and an embedding concatenates theirs: a feature that one of them overfits, the others do not. Few identities
   * are not enough to learn filters from: `edges` and `histograms` train fewer or none. Their constants suit
   * standardized pictures.
   */
  readonly towers?: readonly TowerKind[];
  /**
   * For a liveness network: the side, in pixels, of square patches of the picture at `imageSize`, without resizing
   * (Atoum et al. 2017). The features of the last block are averaged over a patch. Training draws one patch per
   * picture; a picture's logit is the mean over a grid of patches. 0, the whole picture at once, by default.
   */
  readonly patch?: number;
  /** The theta of `centralDifference`, applied to the filters of all convolutions; 0, unchanged filters, by default. */
  readonly differences?: number;
}

/** Height and width of a tower's input: a patch, or the whole picture. */
export const towerSize = ({ imageSize, patch }: NetworkOptions): [height: number, width: number] =>
  patch ? [patch, patch] : [imageSize[0], imageSize[1]];
