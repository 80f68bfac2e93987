// Averages the ranks' parameters in the background, while each rank takes further steps: a copy of the parameters is
// exchanged, and the difference between the mean and the copy is added to the current parameters.
import { submit } from "../../gpu/dispatch.ts";
import { type Exchange, type MessageRing, messagesOf } from "../../gpu/exchange/messages.ts";
import { arenaAddition } from "../../optim/arenaAddition.ts";
import type { Arena, ParameterStore } from "../../tape/parameters.ts";

interface Copy {
  readonly arena: Arena;
  /** The copied parameters; after the exchange, the difference to add to the current ones. */
  readonly buffer: GPUBuffer;
  readonly addition: Awaited<ReturnType<typeof arenaAddition>>;
}

export class BackgroundMean {
  private underWay: Promise<void> | undefined;

  private constructor(
    private readonly store: ParameterStore,
    private readonly ring: MessageRing,
    private readonly copies: readonly Copy[],
  ) {}

  static async open(store: ParameterStore, ring: MessageRing): Promise<BackgroundMean> {
    const { device, arenas } = store;
    const buffers = await device.checked("overlap", () =>
      arenas.map(({ bytes }) => device.createBuffer("parameters in exchange", bytes)),
    );
    const copies = arenas.map(async (arena, i) => {
      return { arena, buffer: buffers[i], addition: await arenaAddition(store, arena, buffers[i]) };
    });
    return new BackgroundMean(store, ring, await Promise.all(copies));
  }

  get isUnderWay(): boolean {
    return this.underWay !== undefined;
  }

  /**
   * Copies the parameters after the steps submitted so far, and starts the exchange. No other exchange may be in
   * flight.
   * @param mean replaces one rank's values, which start at element `first` of the arena, by those that all ranks
   * continue from.
   */
  begin(mean: (values: Float32Array, arena: Arena, first: number) => Promise<void>, messageBytes: number): void {
    this.ring.submit((encoder) => {
      for (const { arena, buffer } of this.copies) encoder.copyBufferToBuffer(arena.values, 0, buffer, 0, arena.bytes);
    });
    const messages = this.copies.flatMap(({ arena, buffer }) =>
      messagesOf([{ buffer, offset: 0, size: arena.bytes }], messageBytes),
    );
    const exchange: Exchange = async (values, { ranges: [{ buffer, offset }] }) => {
      const own = values.slice();
      const { arena } = this.copies.find((copy) => copy.buffer === buffer)!;
      await mean(values, arena, offset / 4);
      for (let i = 0; i < values.length; i++) values[i] -= own[i];
    };
    this.underWay = this.ring.pass(messages, exchange, (_, copy) => this.ring.submit(copy));
    this.underWay.catch(() => undefined); // reported where it is awaited
  }

  /** Waits for the exchange in flight, if any, and adds its result to the parameters. */
  async end(): Promise<void> {
    if (!this.underWay) return;
    await this.discard();
    const { store } = this;
    submit(
      store.device,
      this.copies.map(({ addition }) => addition),
    );
    store.version++;
  }

  /** Waits for the exchange in flight, and discards its result. */
  async discard(): Promise<void> {
    await this.underWay;
    this.underWay = undefined;
  }

  dispose(): void {
    for (const { buffer } of this.copies) this.store.device.release(buffer);
  }
}
