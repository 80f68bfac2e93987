// The options of a network: the sizes of its layers, and how its towers compute embeddings.

/**
 * `pixels`: the article's blocks. `edges`: `orientedGradients` replaces the first block. `histograms`: `edgeHistograms`
 * of them, batch-normalized, replaces all blocks, so that only the last layer is trained.
 */
export const towerKinds = ["pixels", "edges", "histograms"] as const;
/** What a tower of the network sees and learns: see `NetworkOptions.towers`. */
export type TowerKind = (typeof towerKinds)[number];

export const embeddingActivations = ["sigmoid", "linear", "relu"] as const;
export type EmbeddingActivation = (typeof embeddingActivations)[number];

/** The network's architecture: the article's, unless said otherwise. */
export interface NetworkOptions {
  /** Height, width, channels. */
  readonly imageSize: readonly [number, number, number];
  /**
   * Output channels of each block: conv 3x3 SAME -> max-pool 2x2 -> batch-norm -> ReLU.
   * @default [256, 128, 64, 32]
   */
  readonly filters?: readonly number[];
  /**
   * Length of the embedding; of a liveness network of patches the last block's filters.
   * @default 1024
   */
  readonly embedding?: number;
  /**
   * Of the last layer: `sigmoid` as in the article. `linear` leaves the directions of embeddings free, which
   * losses on distances want: between 0 and 1 no two are further apart than a right angle. `relu` is what many networks of
   * other frameworks end with.
   * @default "sigmoid"
   */
  readonly embeddingActivation?: EmbeddingActivation;
  /**
   * Added to the variance that batch-norm divides by; the default is that of TensorFlow and the article, PyTorch's is 1e-5.
   * @default 1e-3
   */
  readonly batchNormEpsilon?: number;
  /**
   * Share of its old value that a moving average keeps at an update; the default is TensorFlow's. PyTorch's momentum
   * is the share of the new value: its default of 0.1 is 0.9 here.
   * @default 0.99
   */
  readonly batchNormMomentum?: number;
  /**
   * Of the initial weights.
   * @default 0
   */
  readonly seed?: number;
  /**
   * Several learn side by side, each from its own part of a batch, and an embedding is
   * all of theirs concatenated: what one of them happens to take for an identity's mark, the others do not. Few identities are
   * too few to learn filters from: `edges` and `histograms` learn fewer, or none. Their constants suit standardized pictures.
   * @default ["pixels"]
   */
  readonly towers?: readonly TowerKind[];
  /**
   * Of a liveness network: it looks at square patches with a side of so many pixels of the picture at `imageSize`, without any
   * resizing (Atoum et al. 2017), and what its blocks find is averaged over a patch. Training draws one patch of each
   * picture; a picture's logit is the mean over a grid of patches. 0 takes the whole picture at once.
   * @default 0
   */
  readonly patch?: number;
  /**
   * The theta of `centralDifference`, which all convolutions' filters go through; 0 leaves filters as they are.
   * @default 0
   */
  readonly differences?: number;
}

/** Height and width of a tower's input: a patch, or the whole picture. */
export const towerSize = ({ imageSize, patch }: NetworkOptions): [height: number, width: number] =>
  patch ? [patch, patch] : [imageSize[0], imageSize[1]];
