// Decides, for the recorded list of launches, which of them are needed and which temporaries may share a buffer.
// Each temporary has a buffer to itself while it lives: WebGPU forbids reading and writing one buffer in one dispatch.
import type { Launch } from "../lower.ts";
import type { Storage } from "./storage.ts";

export interface Plan {
  /** Bytes of each shared buffer. */
  readonly slots: readonly number[];
  /** The slot of each temporary. */
  readonly slotOf: ReadonlyMap<Storage, number>;
  /** The most bytes of temporaries that are alive at one launch: no plan can need less. */
  readonly lowerBound: number;
}

/** What a storage is a part of, or itself. */
export const whole = (storage: Storage): Storage => storage.within?.whole ?? storage;

/** What a launch writes: its read_write bindings. */
export function writesOf(launch: Launch): Storage[] {
  return Object.entries(launch.bindings)
    .filter(([name]) => launch.shader.bindings[name].access === "read_write")
    .map(([, storage]) => storage);
}

/** What a launch reads: its other bindings. */
export function readsOf(launch: Launch): Storage[] {
  return Object.entries(launch.bindings)
    .filter(([name]) => launch.shader.bindings[name].access !== "read_write")
    .map(([, storage]) => storage);
}

/** The launches whose results reach `required` or, unless `frozen`, something that outlives the step; in their order. */
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
 * Gives temporaries with disjoint lifetimes the same slot: the largest first, each into the first slot that is free
 * for the whole of its life (greedy by size; Pisarchyk and Lee 2020, "Efficient Memory Management for Deep Neural Net
 * Inference"). What is in `required` lives until the end, when it is copied out.
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
  const tenants: { first: number; last: number }[][] = [];
  const slotOf = new Map<Storage, number>();
  for (const [storage, life] of [...lives].sort(([a], [b]) => b.bytes - a.bytes)) {
    let slot = tenants.findIndex((t) => t.every((o) => o.last < life.first || life.last < o.first));
    if (slot < 0) {
      slot = slots.push(storage.bytes) - 1;
      tenants.push([]);
    }
    tenants[slot].push(life);
    slotOf.set(storage, slot);
  }

  const alive = new Float64Array(launches.length + 1);
  for (const [storage, { first, last }] of lives) for (let i = first; i <= last; i++) alive[i] += storage.bytes;
  return { slots, slotOf, lowerBound: alive.reduce((a, b) => Math.max(a, b), 0) };
}

/** Each slot with the temporaries that share it, and the launches that they are alive between. */
export function tenantsOf({ slots, slotOf }: Plan, launches: readonly Launch[]) {
  const tenants = slots.map((bytes) => ({
    bytes,
    tenants: [] as { name: string; bytes: number; first: number; last: number }[],
  }));
  for (const [storage, slot] of slotOf) {
    const uses = launches.flatMap(({ bindings }, at) =>
      Object.values(bindings).some((bound) => whole(bound) === storage) ? [at] : [],
    );
    const { name, bytes } = storage;
    tenants[slot].tenants.push({ name, bytes, first: uses[0], last: uses[uses.length - 1] });
  }
  for (const slot of tenants) slot.tenants.sort((a, b) => a.first - b.first);
  return tenants;
}
