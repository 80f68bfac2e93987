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

/** The network's architecture; the defaults are the article's. */
export interface NetworkOptions {
  /** Height, width, channels. */
  readonly imageSize: readonly [number, number, number];
  /**
   * Output channels of each block: conv 3x3 SAME -> max-pool 2x2 -> batch-norm -> ReLU.
   * @default [256, 128, 64, 32]
   */
  readonly filters?: readonly number[];
  /**
   * Length of the embedding; with `patch`, the number of the last block's filters.
   * @default 1024
   */
  readonly embedding?: number;
  /**
   * Activation of the last layer: `sigmoid` as in the article. `linear` suits losses on distances, because it allows
   * embeddings of any direction: with values between 0 and 1, no two are further apart than a right angle. `relu` is
   * common in networks of other frameworks.
   * @default "sigmoid"
   */
  readonly embeddingActivation?: EmbeddingActivation;
  /**
   * Epsilon of batch-norm, added to the variance. The default is that of TensorFlow and the article; PyTorch's is 1e-5.
   * @default 1e-3
   */
  readonly batchNormEpsilon?: number;
  /**
   * Share of its old value that a moving average keeps in an update; the default is TensorFlow's. PyTorch's momentum
   * is the share of the new value: its default of 0.1 is 0.9 here.
   * @default 0.99
   */
  readonly batchNormMomentum?: number;
  /**
   * Seed of the initial weights.
   * @default 0
   */
  readonly seed?: number;
  /**
   * The kinds of towers. Several towers are an ensemble: each trains on its own part of a batch, and their embeddings
   * are concatenated: a spurious feature of one tower is unlikely in the others. For few identities, `edges` and
   * `histograms` train fewer filters or none; their constants suit standardized pictures.
   * @default ["pixels"]
   */
  readonly towers?: readonly TowerKind[];
  /**
   * For liveness networks: the side, in pixels, of square patches that are cut from the picture at `imageSize` without
   * resizing (Atoum et al. 2017); the last block's output is averaged over a patch. Training draws one patch of each
   * picture; a picture's logit is the mean over a grid of patches. 0: the whole picture, without patches.
   * @default 0
   */
  readonly patch?: number;
  /**
   * The theta of `centralDifference`, which is applied to all filters; 0 leaves them unchanged.
   * @default 0
   */
  readonly differences?: number;
}

/** Height and width of a tower's input: a patch, or the whole picture. */
export const towerSize = ({ imageSize, patch }: NetworkOptions): [height: number, width: number] =>
  patch ? [patch, patch] : [imageSize[0], imageSize[1]];
