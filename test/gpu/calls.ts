// Counts the WebGPU calls of a step, by wrapping the methods themselves.

import type { Device } from "../../src/index.ts";

/** Runs `work`; returns the number of calls of each device method and of queue submissions. */
export async function countCalls(device: Device, work: () => Promise<unknown>): Promise<Record<string, number>> {
  const counts: Record<string, number> = {};
  const restore: (() => void)[] = [];
  const watch = (target: object, name: string) => {
    // biome-ignore lint/suspicious/noExplicitAny: any method of any WebGPU interface
    const holder = target as any;
    const original = holder[name];
    holder[name] = function (this: unknown, ...parameters: unknown[]) {
      counts[name] = (counts[name] ?? 0) + 1;
      return original.apply(this, parameters);
    };
    restore.push(() => {
      holder[name] = original;
    });
  };
  const prototype = Object.getPrototypeOf(device.gpu);
  for (const name of Object.getOwnPropertyNames(prototype)) if (name.startsWith("create")) watch(prototype, name);
  watch(Object.getPrototypeOf(device.gpu.queue), "submit");
  try {
    await work();
  } finally {
    for (const undo of restore) undo();
  }
  return counts;
}

/** Runs `work`; returns the arrays written through the queue. */
export async function arraysWritten(device: Device, work: () => Promise<unknown>): Promise<Set<unknown>> {
  const arrays = new Set<unknown>();
  const queue = Object.getPrototypeOf(device.gpu.queue);
  const { writeBuffer } = queue;
  queue.writeBuffer = function (this: GPUQueue, ...parameters: Parameters<GPUQueue["writeBuffer"]>) {
    arrays.add(parameters[2]);
    return writeBuffer.apply(this, parameters);
  };
  try {
    await work();
  } finally {
    queue.writeBuffer = writeBuffer;
  }
  return arrays;
}

/** The counts of calls that create objects, which a step must not do: all except the command encoder. */
export const objectsMade = (counts: Record<string, number>) =>
  Object.entries(counts).filter(([name]) => name.startsWith("create") && name !== "createCommandEncoder");
