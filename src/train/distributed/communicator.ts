// How ranks, the processes that train one network together, exchange what they computed.

/** One rank's end of a group of ranks. Every rank makes the same calls in the same order, which need not be awaited between. */
export interface Communicator {
  /** This rank's number, from 0. */
  readonly rank: number;
  /** How many ranks there are. */
  readonly size: number;
  /** The name of the machine that it runs on. */
  readonly host: string;
  /**
   * Replaces each value by its sum over all ranks, added in the order of ranks in float64 and rounded once: the same bits on
   * every rank, run after run. The array stays as it is until then.
   */
  allReduce(values: Float32Array): Promise<void>;
  /** What each rank gave, by rank. Lengths may differ. */
  allGather(bytes: Uint8Array): Promise<Uint8Array[]>;
  /** Another group of the same ranks, whose calls need no order among those of this one. Every rank makes it. */
  duplicate(): Promise<Communicator>;
  /** Ends all ranks, because this one cannot go on; the reason is told on standard error with the rank and its host. */
  abort(reason: string): void;
  /** Leaves the group, once every rank has come to its end. */
  close(): Promise<void>;
}

/** Rank 0's bytes, on every rank. */
export async function broadcast(communicator: Communicator, bytes: Uint8Array | undefined): Promise<Uint8Array> {
  const given = communicator.rank === 0 && bytes ? bytes : new Uint8Array(0);
  return (await communicator.allGather(given))[0];
}

/** Elements that are added up together: their float64 sums stay in a cache. */
const block = 2048;

/** The sum of equally long parts, added in their order, written to `to`. */
export function addInOrder(parts: readonly Float32Array[], to: Float32Array): void {
  const sums = new Float64Array(block); // hundreds of ranks lose no digits
  for (let from = 0; from < to.length; from += block) {
    const count = Math.min(block, to.length - from);
    sums.fill(0);
    for (const part of parts) for (let i = 0; i < count; i++) sums[i] += part[from + i];
    for (let i = 0; i < count; i++) to[from + i] = sums[i];
  }
}
