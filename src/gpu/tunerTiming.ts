// Times the candidates of one choice on scratch buffers of the size of their tensors, in turns.

import { TwingradError } from "../errors.ts";
import type { Contest, TimedLaunch } from "./contest.ts";
import type { Device } from "./device.ts";
import { encode } from "./program.ts";
import { writeShapes } from "./shapeUniform.ts";
import { hasTimestamps, timePasses, timeSubmissions } from "./timing.ts";
import type { Choice } from "./tunerTable.ts";

/** Bytes that the scratch buffers of one contest may take; what needs more is left to the rules. */
const mostScratch = 2 ** 30;
/** Nanoseconds that one measurement should last: many steps of a browser's rounded clock. */
const wanted = 3e6;
const mostRepeats = 200;
const rounds = 3;
const patternBytes = 2 ** 20;
/** A candidate this many times slower than the best is not measured again. */
const hopeless = 2;
/** What another candidate must gain over the one that the rules take: less than this is noise. */
const gain = 0.05;

type Pass = (pass: GPUComputePassEncoder) => void;

interface Scratch {
  bufferOf(storage: object): GPUBuffer;
  /** A further buffer, for as long as the others. */
  readonly make: Device["createBuffer"];
  destroy(): void;
}

/** Resolves with the fastest candidate. Throws where none could be timed. */
export async function timeContest(device: Device, contest: Contest, warn: (text: string) => void): Promise<Choice> {
  const { key, byRule, candidates } = contest;
  const scratch = makeScratch(device, contest);
  try {
    const all = [...candidates.values()].flat();
    await Promise.allSettled(all.map((l) => device.kernels.pipeline(l.shader, l.constants, l.tunables)));
    await device.wait(device.gpu.queue.onSubmittedWorkDone());
    const best = new Map<string, number>();
    const passes = new Map<string, Pass>();
    const failed: string[] = [];
    for (const [name, launches] of candidates) {
      try {
        const { pass, times } = await firstRun(device, `${key}: ${name}`, launches, scratch);
        best.set(name, times[0]);
        passes.set(name, pass);
      } catch (error) {
        // Neither is the kernel's fault, and neither would be so the next time.
        if (error instanceof TwingradError && ["DEVICE_LOST", "OUT_OF_MEMORY"].includes(error.code)) throw error;
        failed.push(name);
        warn(`A kernel does not run on this adapter and is left out: ${(error as Error).message}`);
      }
    }
    if (passes.size === 0) throw new TwingradError("SHADER", `${key}: none of its kernels runs on this adapter.`);
    const limit = hopeless * Math.min(...best.values());
    const close = [...passes].filter(([name]) => best.get(name)! <= limit);
    if (close.length > 1) await race(device, close, best);
    const microseconds: Record<string, number | null> = {};
    for (const name of candidates.keys()) {
      microseconds[name] = failed.includes(name) ? null : Math.round(best.get(name)! / 10) / 100;
    }
    return { candidate: fastest(best, byRule), microseconds };
  } finally {
    scratch.destroy();
  }
}

/** Several rounds in which the candidates take turns; `best` gets the shortest time of each, which has the least noise. */
async function race(device: Device, candidates: readonly [string, Pass][], best: Map<string, number>): Promise<void> {
  const repeats = candidates.map(([name]) => Math.max(1, Math.min(mostRepeats, Math.round(wanted / best.get(name)!))));
  const parts = candidates.map(([, once], i): Pass => {
    return (pass) => {
      for (let n = 0; n < repeats[i]; n++) once(pass);
    };
  });
  const shortest = parts.map(() => Number.POSITIVE_INFINITY);
  for (let round = 0; round < rounds; round++) {
    const times = await measure(device, parts);
    for (const [i, time] of times.entries()) shortest[i] = Math.min(shortest[i], time / repeats[i]);
  }
  for (const [i, [name]] of candidates.entries()) best.set(name, shortest[i]);
}

const measure = (device: Device, parts: readonly Pass[]): Promise<number[]> =>
  hasTimestamps(device) ? timePasses(device, parts) : timeSubmissions(device, parts);

export function fastest(times: ReadonlyMap<string, number>, byRule: string): string {
  const [name, time] = [...times].reduce((a, b) => (b[1] < a[1] ? b : a));
  const usual = times.get(byRule);
  return usual !== undefined && usual * (1 - gain) <= time ? byRule : name;
}

/** Throws whatever the GPU has against the candidate. */
async function firstRun(device: Device, what: string, launches: readonly TimedLaunch[], { bufferOf, make }: Scratch) {
  const { kernels } = device;
  const pipelines = await Promise.all(launches.map((l) => kernels.pipeline(l.shader, l.constants, l.tunables)));
  let pass: Pass;
  const times = await device.checked(what, () => {
    const shapes = writeShapes(device, launches, make);
    const dispatches = launches.map(({ shader, bindings, workgroups }, i) => {
      const ranges = Object.entries(bindings).map(([name, storage]) => {
        return [name, { buffer: bufferOf(storage), offset: 0, size: storage.bytes }];
      });
      const bindGroup = kernels.bindGroup(shader, Object.fromEntries(ranges), shapes[i]);
      return { pipeline: pipelines[i], bindGroup, workgroups };
    });
    pass = (encoder) => {
      for (const dispatch of dispatches) encode(encoder, dispatch);
    };
    return measure(device, [pass]);
  });
  return { pass: pass!, times };
}

/**
 * A buffer for each tensor that the candidates bind, filled with numbers in (-1, 1): the network's own tensors are not
 * touched. What only one candidate binds shares its buffers with what only another does.
 */
function makeScratch(device: Device, { candidates, key }: Contest): Scratch {
  const users = new Map<object, Set<string>>();
  const all = new Map<object, { bytes: number; uniform: boolean }>();
  for (const [name, launches] of candidates) {
    for (const { shader, bindings } of launches) {
      for (const [binding, storage] of Object.entries(bindings)) {
        users.set(storage, (users.get(storage) ?? new Set()).add(name));
        all.set(storage, { bytes: storage.bytes, uniform: shader.bindings[binding].access === "uniform" });
      }
    }
  }
  const slots: { bytes: number; uniform: boolean }[] = [];
  const slotOf = new Map<object, number>();
  const owned = new Map<string, number>(); // how many slots each candidate has taken of those that are shared
  const shared: number[] = [];
  for (const [storage, need] of [...all].sort(([, a], [, b]) => b.bytes - a.bytes)) {
    const [user, ...others] = users.get(storage)!;
    if (others.length > 0 || need.uniform) {
      slotOf.set(storage, slots.push(need) - 1);
      continue;
    }
    const taken = owned.get(user) ?? 0;
    owned.set(user, taken + 1);
    if (taken === shared.length) shared.push(slots.push({ ...need }) - 1);
    slotOf.set(storage, shared[taken]); // sorted by size: the slot's first tenant is its largest
  }
  const total = slots.reduce((sum, { bytes }) => sum + bytes, 0);
  if (total > mostScratch) {
    throw new TwingradError(
      "LIMIT",
      `${key} takes ${total} bytes of scratch memory; tuning takes at most ${mostScratch}.`,
    );
  }
  const pattern = device.createBuffer("tuning pattern", patternBytes);
  device.write(
    pattern,
    0,
    Float32Array.from({ length: patternBytes / 4 }, (_, i) => Math.sin(i * 12.9898)),
  );
  const made: GPUBuffer[] = [];
  const others: GPUBuffer[] = [];
  const bufferOf = (storage: object): GPUBuffer => {
    const slot = slotOf.get(storage)!;
    made[slot] ??= filled(device, slots[slot].bytes, pattern, slots[slot].uniform ? "uniform" : "storage");
    return made[slot];
  };
  return {
    bufferOf,
    make(...buffer) {
      others.push(device.createBuffer(...buffer));
      return others[others.length - 1];
    },
    destroy() {
      for (const buffer of [pattern, ...others, ...made]) if (buffer) device.release(buffer); // not all need have been made
    },
  };
}

function filled(device: Device, bytes: number, pattern: GPUBuffer, kind: "storage" | "uniform"): GPUBuffer {
  const buffer = device.createBuffer("tuning", bytes, kind);
  const encoder = device.gpu.createCommandEncoder();
  for (let at = 0; at < bytes; at += pattern.size) {
    encoder.copyBufferToBuffer(pattern, 0, buffer, at, Math.min(pattern.size, bytes - at));
  }
  device.gpu.queue.submit([encoder.finish()]);
  return buffer;
}
