// Decides which recorded launches are needed and which temporaries share a buffer. Temporaries that are alive at the
// same time have separate buffers: WebGPU forbids reading and writing one buffer in one dispatch.
import { type Launch, writesOf } from "../lower.ts";
import { type Storage, whole } from "./storage.ts";

export interface Plan {
  /** Bytes of each shared buffer. */
  readonly slots: readonly number[];
  /** The slot of each temporary. */
  readonly slotOf: ReadonlyMap<Storage, number>;
  /** The most bytes of temporaries alive at one launch: a lower bound of any plan. */
  readonly lowerBound: number;
}

/** The launches whose results reach `required` or, unless `frozen`, state that outlives the step; in their order. */
export function removeDead(launches: readonly Launch[], required: Iterable<Storage>, frozen = false): Launch[] {
  const needed = new Set([...required].map(whole));
  const live: Launch[] = [];
  for (const launch of [...launches].reverse()) {
    if (!writesOf(launch).some((s) => (s.external && !frozen) || needed.has(whole(s)))) continue;
    for (const storage of Object.values(launch.bindings)) needed.add(whole(storage));
    live.push(launch);
  }
  return live.reverse();
}

/**
 * Gives temporaries with disjoint lifetimes the same slot: the largest first, each into the first slot that is free for
 * its whole lifetime (greedy by size; Pisarchyk and Lee 2020, "Efficient Memory Management for Deep Neural Net
 * Inference"). Storages in `required` live until the end, when they are copied out.
 */
export function planMemory(launches: readonly Launch[], required: Iterable<Storage>): Plan {
  const lives = new Map<Storage, { first: number; last: number }>();
  const touch = (part: Storage, at: number) => {
    const storage = whole(part);
    if (storage.kind !== "temporary") return;
    const life = lives.get(storage);
    if (life) life.last = at;
    else lives.set(storage, { first: at, last: at });
  };
  launches.forEach((launch, at) => {
    for (const storage of Object.values(launch.bindings)) touch(storage, at);
  });
  for (const storage of required) touch(storage, launches.length);

  const slots: number[] = [];
  const tensors: { first: number; last: number }[][] = [];
  const slotOf = new Map<Storage, number>();
  for (const [storage, life] of [...lives].sort(([a], [b]) => b.bytes - a.bytes)) {
    let slot = tensors.findIndex((t) => t.every((o) => o.last < life.first || life.last < o.first));
    if (slot < 0) {
      slot = slots.push(storage.bytes) - 1;
      tensors.push([]);
    }
    tensors[slot].push(life);
    slotOf.set(storage, slot);
  }

  const alive = new Float64Array(launches.length + 1);
  for (const [storage, { first, last }] of lives) for (let i = first; i <= last; i++) alive[i] += storage.bytes;
  return { slots, slotOf, lowerBound: alive.reduce((a, b) => Math.max(a, b), 0) };
}

/** Each slot with the temporaries that share it, and their first and last launches. */
export function sharedBuffers({ slots, slotOf }: Plan, launches: readonly Launch[]) {
  const tensors = slots.map((bytes) => ({
    bytes,
    tensors: [] as { name: string; bytes: number; first: number; last: number }[],
  }));
  for (const [storage, slot] of slotOf) {
    const uses = launches.flatMap(({ bindings }, at) =>
      Object.values(bindings).some((bound) => whole(bound) === storage) ? [at] : [],
    );
    const { name, bytes } = storage;
    tensors[slot].tensors.push({ name, bytes, first: uses[0], last: uses[uses.length - 1] });
  }
  for (const slot of tensors) slot.tensors.sort((a, b) => a.first - b.first);
  return tensors;
}
