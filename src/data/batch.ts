// The four kinds of batch: the data stream produces them, a training step consumes them.

/** Pictures [N, H, W, C]: bytes, or float32 in [0, 1]. */
export type Pictures = Uint8Array | Float32Array;

/**
 * The picture fields of each kind of batch, in the order that they are stacked in. Each is a branch of the tower, with
 * its own batch statistics.
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
   * All pictures of the batch in one array, branch by branch. Where the picture fields are views of this array, a
   * training step uses the array without copying it. Do not write to it afterwards: steps in flight read it, and so
   * does the recovery from a lost device.
   */
  readonly stacked?: P;
}

/** `P`, `L` and `S` are the array types of pictures, labels and seeds, for callers that know them more narrowly. */
export interface PairBatch<P extends Pictures = Pictures, L = ArrayLike<number>, S = ArrayLike<number>>
  extends Stacked<P> {
  /** One picture of each pair, [B, H, W, C]. */
  readonly left: P;
  /** The other picture of each pair, [B, H, W, C]. */
  readonly right: P;
  /** The identity of each picture; equal numbers mean the same identity. */
  readonly leftLabels: L;
  /** The identities on `right`, [B]. */
  readonly rightLabels: L;
  /**
   * Required where the trainer augments: for each picture a uint32 that selects its random stream. The data stream
   * derives it from the sampler's seed and the picture's position in the stream alone.
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
  /** 1 for bona fide, 0 for a presentation attack. */
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
