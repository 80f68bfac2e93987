// mpi(): the ranks of an MPI job as a communicator.
import { TwingradError } from "../../errors.ts";
import { addInOrder, type Communicator } from "../../train/distributed/communicator.ts";
import { type Handle, libraryVariable, loadMpi, type Mpi, type Request } from "./library.ts";

/** The largest message in bytes: MPI's counts are ints. */
const mostBytes = 2 ** 30;

/** How long a rank polls at each turn of the event loop; then it polls once a millisecond. */
const eagerMilliseconds = 2;

/** How long a launcher has to read a rank's reason: after MPI_Abort, MPICH's may end with it unread. */
const readMilliseconds = 200;

/** The parent process: the MPI launcher, or its daemon on this machine. */
const launcher = process.ppid;

/** Set by `close`: MPI ends the process for any call after MPI_Finalize, which cannot be undone. */
let finalized = false;
let closing: Promise<void> | undefined;

let world: Promise<Communicator & { readonly library: string }> | undefined;

/**
 * The communicator of this process with the others that `mpirun` (or `srun`, `mpiexec`) started; without a launcher its
 * size is 1. Loads the system's Open MPI, MPICH or standard-ABI library; the variable TWINGRAD_MPI names another. MPI
 * is initialized once: later calls return the same communicator. Call its `close` or `abort` before the process ends.
 * @throws MISSING_PACKAGE without the package koffi or without an MPI library; BAD_INPUT if the launcher is of another
 * MPI installation than the library.
 * @example
 * const communicator = await mpi();
 * const trainer = await Trainer.create(device, network, { batchSize: 16, communicator });
 */
export function mpi(): Promise<Communicator & { readonly library: string }> {
  world ??= open();
  world.catch(() => {
    world = undefined;
  });
  return world;
}

async function open(): Promise<Communicator & { readonly library: string }> {
  const library = await loadMpi();
  if (!library.initialized()) library.init();
  const size = library.size(library.world);
  const started = launchedRanks(process.env);
  if (started !== undefined && started !== size) {
    library.finalize();
    throw new TwingradError(
      "BAD_INPUT",
      `The launcher started ${started} processes, and ${library.version} sees ${size}: they belong to different MPI installations. Use the launcher of this one, or name the launcher's library in ${libraryVariable}.`,
    );
  }
  return new MpiCommunicator(library, library.world);
}

/** The number of ranks according to the launcher; undefined without one. */
export function launchedRanks(env: Readonly<Record<string, string | undefined>>): number | undefined {
  const size = env.OMPI_COMM_WORLD_SIZE ?? env.PMI_SIZE;
  return size === undefined ? undefined : Number(size);
}

class MpiCommunicator implements Communicator {
  readonly rank: number;
  readonly size: number;
  readonly host: string;
  /** Name and version of the MPI implementation. */
  readonly library: string;
  readonly #mpi: Mpi;
  readonly #handle: Handle;
  /** The last operation in the queue: one runs at a time, in the order of the calls. */
  #tail: Promise<unknown> = Promise.resolve();
  /** Buffers for MPI, reused from call to call. */
  #send = new Uint8Array(0);
  #receive = new Uint8Array(0);

  constructor(mpi: Mpi, handle: Handle) {
    this.#mpi = mpi;
    this.#handle = handle;
    this.rank = mpi.rank(handle);
    this.size = mpi.size(handle);
    this.host = mpi.host();
    this.library = mpi.version;
  }

  allReduce(values: Float32Array): Promise<void> {
    return this.#turn(async () => {
      const most = Math.floor(mostBytes / 4);
      for (let at = 0; at < values.length; at += most) await this.#reduce(values.subarray(at, at + most));
    });
  }

  allGather(bytes: Uint8Array): Promise<Uint8Array[]> {
    return this.#turn(async () => {
      const sizes = await this.#gather(new Uint8Array(Float64Array.of(bytes.length).buffer));
      const lengths = sizes.map((one) => new Float64Array(one.buffer)[0]);
      const found = lengths.map((length) => new Uint8Array(length));
      const longest = Math.max(...lengths);
      const most = Math.floor(mostBytes / this.size);
      for (let at = 0; at < longest; at += most) {
        const take = Math.min(most, longest - at);
        const padded = new Uint8Array(take);
        padded.set(bytes.subarray(at, at + take));
        const parts = await this.#gather(padded);
        for (const [rank, part] of parts.entries()) {
          const left = Math.min(take, lengths[rank] - at);
          if (left > 0) found[rank].set(part.subarray(0, left), at);
        }
      }
      return found;
    });
  }

  duplicate(): Promise<Communicator> {
    return this.#turn(async () => new MpiCommunicator(this.#mpi, this.#mpi.duplicate(this.#handle)));
  }

  abort(reason: string): void {
    process.stderr.write(`rank ${this.rank} of ${this.size} on ${this.host}: ${reason}\n`);
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, readMilliseconds);
    if (finalized) process.exit(1); // the other ranks have closed MPI, too
    this.#mpi.abort(this.#mpi.world, 1);
  }

  close(): Promise<void> {
    closing ??= this.#turn(async () => {
      // MPI_Finalize waits for the other ranks and would block the event loop meanwhile.
      await this.#gather(new Uint8Array(8));
      finalized = true;
      this.#mpi.finalize();
    });
    return closing;
  }

  /**
   * Each rank sums one part of the values, in the order of ranks, and sends the sum to the others. MPI_Allreduce moves
   * as many bytes, but may add in another order on another rank or in another run.
   */
  async #reduce(values: Float32Array): Promise<void> {
    const part = Math.ceil(values.length / this.size);
    const bytes = 4 * part;
    this.#reserve(bytes * this.size);
    const [send, receive] = [this.#send, this.#receive].map((memory) => new Float32Array(memory.buffer));
    send.set(values);
    send.fill(0, values.length, part * this.size);
    await this.#finished(this.#mpi.startAllToAll(this.#send, this.#receive, bytes, this.#handle));
    const parts = Array.from({ length: this.size }, (_, rank) => receive.subarray(rank * part, (rank + 1) * part));
    addInOrder(parts, send.subarray(0, part));
    await this.#finished(this.#mpi.startAllGather(this.#send, this.#receive, bytes, this.#handle));
    values.set(receive.subarray(0, values.length));
  }

  /** Gathers the same number of bytes from each rank. */
  async #gather(bytes: Uint8Array): Promise<Uint8Array[]> {
    const { length } = bytes;
    this.#reserve(length * this.size);
    this.#send.set(bytes);
    await this.#finished(this.#mpi.startAllGather(this.#send, this.#receive, length, this.#handle));
    return Array.from({ length: this.size }, (_, rank) => this.#receive.slice(rank * length, (rank + 1) * length));
  }

  #reserve(bytes: number): void {
    if (this.#send.length >= bytes) return;
    const size = Math.ceil(bytes / 4096) * 4096;
    // Separate buffers, since the memory of a small typed array may move.
    this.#send = new Uint8Array(new ArrayBuffer(size));
    this.#receive = new Uint8Array(new ArrayBuffer(size));
  }

  async #finished(request: Request): Promise<void> {
    const since = performance.now();
    while (!request.isDone()) {
      // The event loop runs meanwhile: pictures are decoded, the GPU is polled. A rank that waits for long, as for an
      // evaluation, leaves its core to others.
      if (performance.now() - since < eagerMilliseconds) await new Promise((resolve) => setImmediate(resolve));
      else {
        if (process.ppid !== launcher) this.#orphaned();
        await new Promise((resolve) => setTimeout(resolve, 1));
      }
    }
  }

  /** The launcher has ended, so nothing would end a rank that waits for one that died. */
  #orphaned(): never {
    process.stderr.write(`rank ${this.rank} of ${this.size} on ${this.host}: the MPI launcher has ended\n`);
    process.exit(1);
  }

  /** @throws DISPOSED after `close`. */
  #turn<T>(work: () => Promise<T>): Promise<T> {
    const mine = this.#tail.then(() => {
      if (!finalized) return work();
      throw new TwingradError("DISPOSED", "The communicator was closed: MPI cannot be opened again in this process.");
    });
    this.#tail = mine.catch(() => undefined);
    return mine;
  }
}
