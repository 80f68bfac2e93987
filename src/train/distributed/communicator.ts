// How ranks, the processes that train one network together, exchange what they computed.

/**
 * One rank's end of a group of ranks: `mpi()` and `inProcessCommunicators` make them. One of your own has to keep to this:
 *
 * - Every rank makes the same calls in the same order. The next call may come before the last has settled, and is
 *   carried out after it.
 * - The arrays of a call belong to it until it settles; what it resolves with belongs to the caller.
 * - A call waits without holding up the event loop, for as long as the slowest rank takes. Once a rank has gone it rejects, or
 *   ends the process: the trainer sets no time limit.
 */
export interface Communicator {
  /** This rank's number, from 0. */
  readonly rank: number;
  /** How many ranks there are, 1 at least; all calls work with one. */
  readonly size: number;
  /** The name of the machine that it runs on. */
  readonly host: string;
  /**
   * Replaces each value by its sum over all ranks, which give equally many; a NaN stays one. Every rank has to get the same bits,
   * and the same in every run, or ranks drift apart and a resumed run ends differently. `mpi()` and `inProcessCommunicators` add
   * in the order of ranks, in float64, and round once.
   */
  allReduce(values: Float32Array): Promise<void>;
  /** What each rank gave, by rank, this one's included. Lengths may differ, and be 0. */
  allGather(bytes: Uint8Array): Promise<Uint8Array[]>;
  /** Another group of the same ranks, whose calls may come in any order among those of this one. Every rank makes it. */
  duplicate(): Promise<Communicator>;
  /**
   * Ends the training on all ranks, because this one cannot go on. `mpi()` writes the reason to standard error, with the rank and
   * its host, and ends all processes; with `inProcessCommunicators` the calls of all ranks reject, those of duplicates included.
   */
  abort(reason: string): void;
  /**
   * Leaves the group, its duplicates included; resolves once every rank has called it. A trainer does not call it: whoever made
   * the communicator does, at the end.
   */
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
