// GPU time of work, by timestamps around compute passes.
import type { Device } from "./device.ts";

/** The size of a query set; each pass takes two timestamps. */
const mostQueries = 4096;

export const hasTimestamps = (device: Device): boolean => device.gpu.features.has("timestamp-query");

/**
 * Records each part in its own compute pass, submits them together and returns the nanoseconds of each.
 * Browsers round timestamps (Chrome to 65,536 ns). Requires the feature `timestamp-query`.
 */
export async function timePasses(
  device: Device,
  parts: readonly ((pass: GPUComputePassEncoder) => void)[],
): Promise<number[]> {
  const { gpu } = device;
  const times: number[] = [];
  for (let first = 0; first < parts.length; first += mostQueries / 2) {
    const some = parts.slice(first, first + mostQueries / 2);
    const count = some.length * 2;
    const querySet = gpu.createQuerySet({ type: "timestamp", count });
    const resolved = device.createBuffer("timestamps", count * 8, "queries");
    const staging = device.createBuffer("timestamps read", count * 8, "readback");
    try {
      const encoder = gpu.createCommandEncoder();
      some.forEach((record, i) => {
        const timestampWrites = { querySet, beginningOfPassWriteIndex: 2 * i, endOfPassWriteIndex: 2 * i + 1 };
        const pass = encoder.beginComputePass({ timestampWrites });
        record(pass);
        pass.end();
      });
      encoder.resolveQuerySet(querySet, 0, count, resolved, 0);
      encoder.copyBufferToBuffer(resolved, 0, staging, 0, count * 8);
      gpu.queue.submit([encoder.finish()]);
      await device.wait(staging.mapAsync(0x1));
      const ticks = new BigUint64Array(staging.getMappedRange());
      times.push(...some.map((_, i) => Number(ticks[2 * i + 1] - ticks[2 * i])));
    } finally {
      querySet.destroy();
      device.release(resolved);
      device.release(staging);
    }
  }
  return times;
}

/** The same by the host's clock, each part submitted alone to an idle queue: for adapters without timestamps. */
export async function timeSubmissions(
  device: Device,
  parts: readonly ((pass: GPUComputePassEncoder) => void)[],
): Promise<number[]> {
  const { queue } = device.gpu;
  const times: number[] = [];
  for (const record of parts) {
    const encoder = device.gpu.createCommandEncoder();
    const pass = encoder.beginComputePass();
    record(pass);
    pass.end();
    const started = performance.now();
    queue.submit([encoder.finish()]);
    await device.wait(queue.onSubmittedWorkDone());
    times.push((performance.now() - started) * 1e6);
  }
  return times;
}
