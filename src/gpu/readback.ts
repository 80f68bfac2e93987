// Reading results: a ring of preallocated staging buffers for step results, so that several steps can be in flight, and
// a one-off read for everything else.
import type { Device } from "./device.ts";

const mapRead = 0x1;

/** Reads `count` float32 values once, after all work submitted so far, through a temporary buffer. */
export async function readBuffer(device: Device, source: GPUBuffer, offset: number, count: number) {
  const size = count * 4;
  const staging = device.createBuffer("read once", size, "readback");
  try {
    const encoder = device.gpu.createCommandEncoder();
    encoder.copyBufferToBuffer(source, offset, staging, 0, size);
    device.gpu.queue.submit([encoder.finish()]);
    await device.wait(staging.mapAsync(mapRead));
    return new Float32Array(staging.getMappedRange().slice(0));
  } finally {
    device.release(staging);
  }
}

/** A fixed number of staging buffers, handed out in turn; `acquire` waits only if all of them are in flight. */
export class StagingRing {
  private readonly device: Device;
  private readonly free: GPUBuffer[];
  private readonly waiting: { resolve: (buffer: GPUBuffer) => void; reject: (reason: unknown) => void }[] = [];
  private closed: unknown;

  constructor(device: Device, slots: readonly GPUBuffer[]) {
    this.device = device;
    this.free = [...slots];
  }

  /** A free slot immediately, or a promise of the next one; requests are served in order. */
  acquire(): GPUBuffer | Promise<GPUBuffer> {
    if (this.waiting.length === 0 && this.free.length > 0) return this.free.shift()!;
    return new Promise((resolve, reject) => this.waiting.push({ resolve, reject }));
  }

  /** Maps a slot that a submitted step copies into, passes its bytes to `read`, and frees the slot. */
  async collect<T>(slot: GPUBuffer, read: (bytes: ArrayBuffer) => T): Promise<T> {
    let result: T;
    try {
      await this.device.wait(slot.mapAsync(mapRead));
      result = read(slot.getMappedRange());
      slot.unmap();
    } catch (error) {
      throw this.closed ?? error;
    }
    const next = this.waiting.shift();
    if (next) next.resolve(slot);
    else this.free.push(slot);
    return result;
  }

  /** Rejects steps in flight and requests for a slot with `reason` once the slots are released. */
  close(reason: unknown): void {
    this.closed = reason;
    for (const { reject } of this.waiting.splice(0)) reject(reason);
  }
}
