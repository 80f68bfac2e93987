// The four kinds of batch: what the data stream makes and what a training step takes.

/** Pictures [N, H, W, C]: bytes, or float32 in [0, 1]. */
export type Pictures = Uint8Array | Float32Array;

/**
 * For each kind of batch the fields that hold pictures, in the order in which they are stacked. Each is a branch of the
 * tower, with batch statistics of its own.
 */
export const branches = {
  pairs: ["left", "right"],
  triplets: ["anchor", "positive", "negative"],
  classes: ["images"],
  liveness: ["images"],
} as const;

export type BatchKind = keyof typeof branches;

interface Stacked<P extends Pictures> {
  /**
   * All pictures of the batch in one array, branch by branch. Where the other fields are the parts of this array, a
   * training step takes the array itself and not a copy. It must not be written to from then on: steps in flight read
   * it, and so does a recovery from a lost device.
   */
  readonly stacked?: P;
}

/**
 * B pairs of pictures [B, H, W, C] with their identities. `P`, `L` and `S` are the types of the arrays of pictures, labels and seeds.
 */
export interface PairBatch<P extends Pictures = Pictures, L = ArrayLike<number>, S = ArrayLike<number>>
  extends Stacked<P> {
  /** One picture of each pair, [B, H, W, C]. */
  readonly left: P;
  /** The other picture of each pair, [B, H, W, C]. */
  readonly right: P;
  /** The identity on each picture; equal numbers mean the same identity. */
  readonly leftLabels: L;
  /** The identities on `right`, [B]. */
  readonly rightLabels: L;
  /**
   * Required where the trainer augments: for each picture a uint32 that selects its stream of random numbers. The data
   * stream's depend on the sampler's seed and the picture's place in the stream alone.
   */
  readonly leftSeeds?: S;
  /** As `leftSeeds`, of `right`. */
  readonly rightSeeds?: S;
}

/** B triplets of pictures [B, H, W, C] each. */
export interface TripletBatch<P extends Pictures = Pictures, S = ArrayLike<number>> extends Stacked<P> {
  /** Pictures [B, H, W, C]. */
  readonly anchor: P;
  /** Other pictures of the anchors' identities. */
  readonly positive: P;
  /** Pictures of other identities. */
  readonly negative: P;
  /** As in `PairBatch`. */
  readonly anchorSeeds?: S;
  /** As in `PairBatch`. */
  readonly positiveSeeds?: S;
  /** As in `PairBatch`. */
  readonly negativeSeeds?: S;
}

/** B single pictures [B, H, W, C], bona fide presentations and attacks. */
export interface LivenessBatch<P extends Pictures = Pictures, L = ArrayLike<number>, S = ArrayLike<number>>
  extends Stacked<P> {
  /** Pictures [B, H, W, C]. */
  readonly images: P;
  /** 1 for a live person, 0 for a presentation attack. */
  readonly live: L;
  /** As in `PairBatch`. */
  readonly seeds?: S;
}

/** For losses that compare all pictures of a batch: several pictures of each of several identities. */
export interface ClassBatch<P extends Pictures = Pictures, L = ArrayLike<number>, S = ArrayLike<number>>
  extends Stacked<P> {
  /** Pictures [B, H, W, C]. */
  readonly images: P;
  /** As in `PairBatch`. */
  readonly labels: L;
  /** As in `PairBatch`. */
  readonly seeds?: S;
}

/** What a training step takes: the fields decide which kind it is. */
export type Batch = PairBatch | TripletBatch | LivenessBatch | ClassBatch;
