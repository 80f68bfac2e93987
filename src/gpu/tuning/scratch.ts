// Scratch buffers for the candidates of one choice: the network's own tensors are not touched.

import { TwingradError } from "../../errors.ts";
import { type Bound, type Contest, type Contestant, wholeOf } from "../contest.ts";
import type { Device } from "../device.ts";
import type { BufferRange } from "../dispatch.ts";

/** The most bytes of scratch buffers for one contest; choices that need more are left to the rules. */
const mostScratch = 2 ** 30;
/**
 * Words of a pattern: a prime, so that it does not repeat at any distance at which a kernel might read out of place.
 * Each buffer starts elsewhere in it, so that reading another buffer's element is detected too.
 */
const patternWords = 262_139;
const startOf = (buffer: number) => (buffer * 7_919) % patternWords;

export interface Scratch {
  rangeOf(contestant: Contestant, bound: Bound): BufferRange;
  /** Fills this candidate's results with NaN, to detect elements left unwritten or read before they are written. */
  poison(contestant: Contestant): void;
  /** Creates a further buffer with the same lifetime as the others. */
  readonly make: Device["createBuffer"];
  destroy(): void;
}

const launchesOf = ({ before, launches, after }: Contestant) => [...before, ...launches, ...after];

/**
 * Creates a randomly filled buffer for each tensor that no launch writes. The reference has its own result buffers; the
 * other candidates run one after the other and share theirs.
 */
export function makeScratch(device: Device, { candidates, reference, key }: Contest): Scratch {
  const others = [...new Set(candidates.values())].filter((contestant) => contestant !== reference);
  const written = new Map<Contestant, Set<Bound>>();
  const inputs = new Map<Bound, "storage" | "uniform">();
  for (const contestant of [reference, ...others]) {
    const own = new Set<Bound>();
    written.set(contestant, own);
    for (const { shader, bindings } of launchesOf(contestant)) {
      for (const [name, part] of Object.entries(bindings)) {
        const bound = wholeOf(part).whole;
        const { access } = shader.bindings[name];
        if (access === "read_write") own.add(bound);
        else if (!own.has(bound)) inputs.set(bound, access === "uniform" ? "uniform" : "storage");
      }
    }
  }

  const slots: { bytes: number; kind: "storage" | "uniform"; input?: Bound }[] = [];
  const slotOf = new Map<Contestant | undefined, Map<Bound, number>>();
  const own = (bounds: Iterable<Bound>) => new Map([...bounds].map((bound) => [bound, slots.push(slotFor(bound)) - 1]));
  const slotFor = (bound: Bound) => ({ bytes: bound.bytes, kind: "storage" as const });
  slotOf.set(
    undefined,
    new Map([...inputs].map(([input, kind]) => [input, slots.push({ bytes: input.bytes, kind, input }) - 1])),
  );
  slotOf.set(reference, own(written.get(reference)!));
  const shared: number[] = [];
  for (const contestant of others) {
    const places = new Map<Bound, number>();
    const bySize = [...written.get(contestant)!].sort((a, b) => b.bytes - a.bytes);
    for (const [n, bound] of bySize.entries()) {
      if (n === shared.length) shared.push(slots.push(slotFor(bound)) - 1);
      slots[shared[n]].bytes = Math.max(slots[shared[n]].bytes, bound.bytes);
      places.set(bound, shared[n]);
    }
    slotOf.set(contestant, places);
  }
  const total = slots.reduce((sum, { bytes }) => sum + bytes, 0);
  if (total > mostScratch) {
    throw new TwingradError(
      "LIMIT",
      `${key} takes ${total} bytes of scratch memory; tuning takes at most ${mostScratch}.`,
    );
  }

  const made: GPUBuffer[] = [];
  const further: GPUBuffer[] = [];
  const make: Device["createBuffer"] = (...buffer) => {
    further.push(device.createBuffer(...buffer));
    return further[further.length - 1];
  };
  const patterns = new Map<string, GPUBuffer>();
  const pattern = (name: string, words: () => Uint32Array) => {
    let buffer = patterns.get(name);
    if (!buffer) {
      buffer = make(`tuning ${name}`, 4 * patternWords);
      device.write(buffer, 0, new Float32Array(words().buffer));
      patterns.set(name, buffer);
    }
    return buffer;
  };
  const bufferAt = (slot: number) => {
    if (made[slot]) return made[slot];
    const { bytes, kind, input } = slots[slot];
    made[slot] = device.createBuffer("tuning", bytes, kind);
    if (input?.data) device.write(made[slot], 0, input.data);
    else if (input) {
      const { dtype = "f32", below = 2 ** 32, magnitude = 1 } = input;
      const random = pattern(`${dtype} ${below} ${magnitude}`, () => randomWords(dtype, below, magnitude));
      fill(device, made[slot], random, startOf(slot));
    }
    return made[slot];
  };
  return {
    rangeOf(contestant, bound) {
      const { whole, offset } = wholeOf(bound);
      const slot = slotOf.get(contestant)!.get(whole) ?? slotOf.get(undefined)!.get(whole)!;
      return { buffer: bufferAt(slot), offset, size: bound.bytes };
    },
    poison(contestant) {
      const poison = pattern("poison", () => new Uint32Array(patternWords).fill(0xffffffff));
      for (const slot of slotOf.get(contestant)!.values()) fill(device, bufferAt(slot), poison, 0);
    },
    make,
    destroy() {
      for (const buffer of [...further, ...made]) if (buffer) device.release(buffer); // some may not have been created
    },
  };
}

/**
 * Multiples of 1/1024 between -1 and 1. Float16 represents them exactly, and float32 represents their products exactly:
 * candidates must agree on the sign of short sums, because a ReLU depends on it.
 */
function randomWords(dtype: string, below: number, magnitude: number): Uint32Array {
  let state = 0x9e3779b9;
  const random = () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return state >>> 0;
  };
  const f32 = new Float32Array(1);
  const bits = new Uint32Array(f32.buffer);
  const float = () => {
    f32[0] = ((random() % 1023) + 1) * (random() & 1 ? magnitude : -magnitude) * 2 ** -10;
    return bits[0];
  };
  // Exact: at most eleven bits of mantissa, of a magnitude that float16 represents.
  const half = () => {
    const word = float();
    return ((word >>> 16) & 0x8000) | (((word >>> 13) & 0x3ffff) - (112 << 10));
  };
  return Uint32Array.from({ length: patternWords }, () => {
    if (dtype === "f32") return float();
    if (dtype === "f16") return half() | (half() << 16);
    return below < 2 ** 32 ? random() % below : random();
  });
}

function fill(device: Device, buffer: GPUBuffer, pattern: GPUBuffer, first: number): void {
  const encoder = device.gpu.createCommandEncoder();
  for (let at = 0, from = 4 * first; at < buffer.size; from = 0) {
    const bytes = Math.min(pattern.size - from, buffer.size - at);
    encoder.copyBufferToBuffer(pattern, from, buffer, at, bytes);
    at += bytes;
  }
  device.gpu.queue.submit([encoder.finish()]);
}
