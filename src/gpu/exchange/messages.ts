// Values that are exchanged with other ranks: ranges of buffers, cut into messages, which are read back through a ring
// of staging buffers one after another, exchanged, and written to the device again.
import { TwingradError } from "../../errors.ts";
import type { Device } from "../device.ts";
import type { BufferRange } from "../dispatch.ts";
import { StagingRing } from "../readback.ts";

/** Ranges that are exchanged together, their values concatenated. */
export interface Message {
  readonly ranges: readonly BufferRange[];
  readonly bytes: number;
}

/**
 * Replaces the values of a message in place, for example by their sums over all ranks. Called in the order of messages.
 */
export type Exchange = (values: Float32Array, message: Message) => Promise<void>;

/** The most messages whose copies to the host are in flight at once. */
const ringSize = 4;

/** Cuts the ranges, in order, into messages of at most `most` bytes. */
export function messagesOf(ranges: readonly BufferRange[], most: number): Message[] {
  const messages: { ranges: BufferRange[]; bytes: number }[] = [];
  for (const { buffer, offset, size } of ranges) {
    for (let at = 0; at < size; ) {
      const last = messages[messages.length - 1];
      const room = last ? most - last.bytes : 0;
      const take = Math.min(size - at, room > 0 ? room : most);
      const part = { buffer, offset: offset + at, size: take };
      if (room > 0) {
        last.ranges.push(part);
        last.bytes += take;
      } else messages.push({ ranges: [part], bytes: take });
      at += take;
    }
  }
  return messages;
}

/** The ring of staging buffers of one device; it exists as long as the trainer. */
export class MessageRing {
  readonly #device: Device;
  readonly #ring: StagingRing;
  readonly #staging: GPUBuffer[];
  #disposed = false;

  /** @param most bytes of a message. */
  constructor(device: Device, most: number) {
    this.#device = device;
    this.#staging = Array.from({ length: ringSize }, (_, i) => device.createBuffer(`exchange ${i}`, most, "readback"));
    this.#ring = new StagingRing(device, this.#staging);
  }

  /**
   * Submits copies of the message's ranges, taken after all work submitted so far. Resolves once they are submitted,
   * with a promise of the values.
   */
  async read({ ranges }: Message, submit: (copy: (encoder: GPUCommandEncoder) => void) => void) {
    const acquired = this.#ring.acquire();
    const slot = acquired instanceof Promise ? await this.#device.wait(acquired) : acquired;
    this.#check();
    let bytes = 0;
    submit((encoder) => {
      for (const { buffer, offset, size } of ranges) {
        encoder.copyBufferToBuffer(buffer, offset, slot, bytes, size);
        bytes += size;
      }
    });
    return { values: this.#ring.collect(slot, (mapped) => new Float32Array(mapped.slice(0, bytes))) };
  }

  /** Queues writes of the message's values to its ranges. */
  write({ ranges }: Message, values: Float32Array): void {
    this.#check();
    let at = 0;
    for (const { buffer, offset, size } of ranges) {
      this.#device.write(buffer, offset, values.subarray(at, at + size / 4));
      at += size / 4;
    }
  }

  /**
   * Reads each message, exchanges it and writes it back, while the following messages are read.
   * @param submit submits the work that the message with this number depends on, then its copies.
   */
  async pass(
    messages: readonly Message[],
    exchange: Exchange,
    submit: (number: number, copy: (encoder: GPUCommandEncoder) => void) => void,
  ): Promise<void> {
    let tail: Promise<void> = Promise.resolve();
    for (const [number, message] of messages.entries()) {
      const { values: reading } = await this.read(message, (copy) => submit(number, copy));
      reading.catch(() => undefined); // reported when it is awaited below
      tail = tail.then(async () => {
        const values = await reading;
        await exchange(values, message);
        this.write(message, values);
      });
      tail.catch(() => undefined);
    }
    await tail;
  }

  /** Submits copies without other work. */
  submit(copy: (encoder: GPUCommandEncoder) => void): void {
    const { gpu } = this.#device;
    const encoder = gpu.createCommandEncoder();
    copy(encoder);
    gpu.queue.submit([encoder.finish()]);
  }

  /** An exchange in flight rejects with DISPOSED. */
  dispose(): void {
    this.#disposed = true;
    for (const buffer of this.#staging) this.#device.release(buffer);
  }

  #check(): void {
    if (this.#disposed) throw new TwingradError("DISPOSED", "The trainer was disposed.");
  }
}
