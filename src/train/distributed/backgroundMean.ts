// The mean of the ranks' parameters, taken while each rank steps on: a copy of them is exchanged, and the difference of the mean
// and the copy is added to what they have become meanwhile.
import { submit } from "../../gpu/dispatch.ts";
import { type Exchange, type MessageRing, messagesOf } from "../../gpu/exchange/messages.ts";
import { arenaAddition } from "../../optim/arenaAddition.ts";
import type { Arena, ParameterStore } from "../../tape/parameters.ts";

interface Copy {
  readonly arena: Arena;
  /** The parameters as they were; then what is to be added to them. */
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
   * Copies the parameters as the steps submitted so far leave them, and begins the exchange. None may be under way.
   * @param mean puts what the ranks begin from in the place of one rank's values, from this element of the arena on.
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
    this.underWay.catch(() => undefined); // told where it is waited for
  }

  /** Waits for the exchange under way, if there is one, and adds to the parameters what came of it. */
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

  /** Waits for the exchange under way and leaves the parameters as they are. */
  async discard(): Promise<void> {
    await this.underWay;
    this.underWay = undefined;
  }

  dispose(): void {
    for (const { buffer } of this.copies) this.store.device.release(buffer);
  }
}
