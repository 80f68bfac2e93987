// The state of a training in host memory, which a lost device would otherwise take with it.
import { readBuffer } from "../gpu/readback.ts";
import type { ParameterStore } from "../tape/parameters.ts";

export interface Snapshot {
  readonly step: number;
  /** For each arena: the parameters, and the optimizer's state by name. */
  readonly arenas: readonly { readonly values: Float32Array; readonly state: ReadonlyMap<string, Float32Array> }[];
  /** State that is kept but not trained, by name. */
  readonly kept: ReadonlyMap<string, Float32Array>;
}

/** The state after exactly the steps submitted so far: the copies are queued before this returns its promise. */
export async function takeSnapshot(store: ParameterStore): Promise<Snapshot> {
  const { device, step } = store;
  const arenas = store.arenas.map(({ bytes, values, state }) => {
    const read = (buffer: GPUBuffer) => readBuffer(device, buffer, 0, bytes / 4);
    return Promise.all([read(values), all(new Map([...state].map(([name, buffer]) => [name, read(buffer)])))]);
  });
  const untrained = store.list().filter(({ trainable }) => !trainable);
  const kept = all(new Map(untrained.map(({ name }) => [name, store.read(name)])));
  // Awaited together: if the device is lost, all of them reject.
  const [copies, averages] = await Promise.all([Promise.all(arenas), kept]);
  return { step, arenas: copies.map(([values, state]) => ({ values, state })), kept: averages };
}

async function all<K, V>(promises: Map<K, Promise<V>>): Promise<Map<K, V>> {
  return new Map(await Promise.all([...promises].map(async ([key, value]) => [key, await value] as const)));
}

/** Restores the state in a store of the same parameters, placed in the same order. */
export function restoreSnapshot(store: ParameterStore, { step, arenas, kept }: Snapshot): void {
  arenas.forEach(({ values, state }, i) => {
    const arena = store.arenas[i];
    store.device.write(arena.values, 0, values);
    for (const [name, data] of state) store.device.write(store.state(arena, name), 0, data);
  });
  for (const [name, data] of kept) store.write(name, data);
  store.step = step;
}
