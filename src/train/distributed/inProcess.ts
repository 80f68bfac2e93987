// Several ranks in one process: for tests, and for several devices of one page or program.
import { TwingradError } from "../../errors.ts";
import { addInOrder, type Communicator } from "./communicator.ts";

/** One collective call: collects the data of all ranks, and resolves when every rank has called. */
class Collective {
  readonly done: Promise<void>;
  private readonly contributions = new Map<number, { call: string; data: Float32Array | Uint8Array }>();
  private resolve!: () => void;
  reject!: (reason: unknown) => void;

  constructor(private readonly size: number) {
    this.done = new Promise((resolve, reject) => {
      this.resolve = resolve;
      this.reject = reject;
    });
    this.done.catch(() => undefined);
  }

  async exchange<T extends Float32Array | Uint8Array>(rank: number, call: string, data: T): Promise<T[]> {
    this.contributions.set(rank, { call, data });
    const calls = new Set([...this.contributions.values()].map((one) => one.call));
    if (calls.size > 1) {
      const what = `ranks made different calls at the same time: ${[...calls].join(" and ")}`;
      this.reject(new TwingradError("BAD_INPUT", `${what}; every rank makes the same ones in the same order.`));
    } else if (this.contributions.size === this.size) this.resolve();
    await this.done;
    return Array.from({ length: this.size }, (_, one) => this.contributions.get(one)!.data as T);
  }
}

class Group {
  ended: TwingradError | undefined;
  readonly groups = new Map<number, Group>();
  private readonly collectives = new Map<number, Collective>();

  constructor(readonly size: number) {}

  collective(number: number): Collective {
    let collective = this.collectives.get(number);
    if (!collective) {
      collective = new Collective(this.size);
      this.collectives.set(number, collective);
      collective.done.then(() => this.collectives.delete(number)).catch(() => undefined);
    }
    if (this.ended) collective.reject(this.ended);
    return collective;
  }

  /** The group that is created by the ranks' `duplicate` call of this number. */
  duplicate(number: number): Group {
    const group = this.groups.get(number) ?? new Group(this.size);
    this.groups.set(number, group);
    return group;
  }

  end(reason: TwingradError): void {
    this.ended ??= reason;
    for (const collective of this.collectives.values()) collective.reject(this.ended);
    for (const group of this.groups.values()) group.end(reason);
  }
}

class Member implements Communicator {
  readonly host = "this process";
  private calls = 0;
  private copies = 0;

  constructor(
    private readonly group: Group,
    readonly rank: number,
  ) {}

  get size(): number {
    return this.group.size;
  }

  async allReduce(values: Float32Array): Promise<void> {
    const call = `allReduce of ${values.length} values`;
    const parts = await this.group.collective(this.calls++).exchange(this.rank, call, values.slice());
    addInOrder(parts, values);
  }

  async allGather(bytes: Uint8Array): Promise<Uint8Array[]> {
    const given = await this.group.collective(this.calls++).exchange(this.rank, "allGather", bytes.slice());
    return given.map((one) => one.slice());
  }

  async duplicate(): Promise<Communicator> {
    return new Member(this.group.duplicate(this.copies++), this.rank);
  }

  abort(reason: string): void {
    this.group.end(new TwingradError("BAD_INPUT", `Rank ${this.rank} of ${this.size} ended the training: ${reason}`));
  }

  async close(): Promise<void> {
    await this.allGather(new Uint8Array(0));
  }
}

/**
 * Communicators of ranks in one process, for tests and for several devices of one program.
 * @param size the number of ranks.
 * @example
 * ```ts
 * const network = siamese({ imageSize: [28, 28, 1], filters: [16, 32], embedding: 64 });
 * const trainers = inProcessCommunicators(2).map((communicator) =>
 *   Trainer.create(device, network, { batchSize: 8, communicator }),
 * );
 * ```
 */
export function inProcessCommunicators(size: number): Communicator[] {
  if (!Number.isInteger(size) || size < 1) {
    throw new TwingradError(
      "BAD_INPUT",
      `inProcessCommunicators: size is ${size}; expected a whole number of at least 1.`,
    );
  }
  const group = new Group(size);
  return Array.from({ length: size }, (_, rank) => new Member(group, rank));
}
