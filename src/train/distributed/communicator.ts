// Communication between ranks: the processes that train one network together.

/**
 * One rank's view of a group of ranks; `mpi()` and `inProcessCommunicators` create them. Your own implementation must
 * follow these rules:
 *
 * - Every rank makes the same calls in the same order. A call may be made before the previous one has settled; it is
 *   executed after it.
 * - A call owns its arrays until it settles; its result belongs to the caller.
 * - A call waits for the slowest rank without blocking the event loop. After a rank has died it rejects, or ends the
 *   process: the trainer has no timeout.
 */
export interface Communicator {
  /** This rank's number, from 0. */
  readonly rank: number;
  /** The number of ranks, at least 1; all calls also work with a single rank. */
  readonly size: number;
  /** The name of the machine that this rank runs on. */
  readonly host: string;
  /**
   * Replaces each value by its sum over all ranks; all arrays have the same length, and NaN stays NaN. Every rank must
   * get the same bits, in every run; otherwise the ranks diverge, and a resumed run ends differently. `mpi()` and
   * `inProcessCommunicators` add in the order of ranks, in float64, and round once.
   */
  allReduce(values: Float32Array): Promise<void>;
  /** The bytes of every rank, this one included, in the order of ranks. Lengths may differ, and may be 0. */
  allGather(bytes: Uint8Array): Promise<Uint8Array[]>;
  /** A second group of the same ranks, whose calls are independent of this one's. Every rank must call it. */
  duplicate(): Promise<Communicator>;
  /**
   * Ends the training on all ranks because this rank cannot continue. `mpi()` writes the reason, with the rank and its
   * host, to standard error and ends all processes; with `inProcessCommunicators` the calls of all ranks reject, also
   * those of duplicates.
   */
  abort(reason: string): void;
  /**
   * Leaves the group and its duplicates; resolves once every rank has called it. The trainer does not call it: call it
   * at the end, where you created the communicator.
   */
  close(): Promise<void>;
}

/** Rank 0's bytes, on every rank. */
export async function broadcast(communicator: Communicator, bytes: Uint8Array | undefined): Promise<Uint8Array> {
  const given = communicator.rank === 0 && bytes ? bytes : new Uint8Array(0);
  return (await communicator.allGather(given))[0];
}

/** Elements summed at a time, so that their float64 sums stay in the cache. */
const block = 2048;

/** Sums parts of equal length in their order, into `to`. */
export function addInOrder(parts: readonly Float32Array[], to: Float32Array): void {
  const sums = new Float64Array(block); // float64, so that sums over hundreds of ranks lose no digits
  for (let from = 0; from < to.length; from += block) {
    const count = Math.min(block, to.length - from);
    sums.fill(0);
    for (const part of parts) for (let i = 0; i < count; i++) sums[i] += part[from + i];
    for (let i = 0; i < count; i++) to[from + i] = sums[i];
  }
}
