// Reading results: a ring of staging buffers made beforehand for the results of steps, so that several steps can be
// in flight; and a one-off read for everything else.
import type { Device } from "./device.ts";

const mapReadUsage = 0x1 | 0x8; // MAP_READ | COPY_DST
const mapRead = 0x1;

/** Reads `count` float32 values once, after all work submitted so far. Makes and destroys a buffer of its own. */
export async function readBuffer(device: Device, source: GPUBuffer, offset: number, count: number) {
  const size = count * 4;
  const staging = device.gpu.createBuffer({ label: "read once", size, usage: mapReadUsage });
  try {
    const encoder = device.gpu.createCommandEncoder();
    encoder.copyBufferToBuffer(source, offset, staging, 0, size);
    device.gpu.queue.submit([encoder.finish()]);
    await device.wait(staging.mapAsync(mapRead));
    return new Float32Array(staging.getMappedRange().slice(0));
  } finally {
    staging.destroy();
  }
}

/** A fixed number of staging buffers, handed out in turn; `acquire` waits only when all of them are in flight. */
export class StagingRing {
  private readonly device: Device;
  private readonly all: GPUBuffer[];
  private readonly free: GPUBuffer[];
  private readonly waiting: ((buffer: GPUBuffer) => void)[] = [];
  readonly bytes: number;

  constructor(device: Device, bytes: number, slots: number) {
    this.device = device;
    this.bytes = bytes * slots;
    this.all = Array.from({ length: slots }, (_, i) =>
      device.gpu.createBuffer({ label: `results ${i}`, size: bytes, usage: mapReadUsage }),
    );
    this.free = [...this.all];
  }

  /** A free slot at once, or a promise of the next one; served in the order of asking. */
  acquire(): GPUBuffer | Promise<GPUBuffer> {
    if (this.waiting.length === 0 && this.free.length > 0) return this.free.shift()!;
    return new Promise((resolve) => this.waiting.push(resolve));
  }

  /** Maps a slot that a submitted step copies into, hands its bytes to `read`, and gives the slot back. */
  async collect<T>(slot: GPUBuffer, read: (bytes: ArrayBuffer) => T): Promise<T> {
    await this.device.wait(slot.mapAsync(mapRead));
    const result = read(slot.getMappedRange());
    slot.unmap();
    const next = this.waiting.shift();
    if (next) next(slot);
    else this.free.push(slot);
    return result;
  }

  destroy(): void {
    for (const buffer of this.all) buffer.destroy();
  }
}
