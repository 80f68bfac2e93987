// Tries the candidates of one choice on scratch buffers: checks that each agrees with the portable kernel, then times
// them in turns.

import { TwingradError } from "../errors.ts";
import type { Contest, Contestant } from "./contest.ts";
import type { Device } from "./device.ts";
import { encode } from "./dispatch.ts";
import { writeShapes } from "./shapeUniform.ts";
import { hasTimestamps, timePasses, timeSubmissions } from "./timing.ts";
import type { Choice } from "./tunerTable.ts";
import { compareResults } from "./tuning/compare.ts";
import { makeScratch, type Scratch } from "./tuning/scratch.ts";

/** Minimum nanoseconds of a measurement: many ticks of a browser's rounded clock. */
const wanted = 3e6;
const mostRepeats = 200;
const rounds = 3;
/** A candidate this many times slower than the best is not measured again. */
const hopeless = 2;
/** The minimum gain over the candidate chosen by rule: less than this is noise. */
const gain = 0.05;

type Pass = (pass: GPUComputePassEncoder) => void;

/** The result of one candidate. */
export interface Trial {
  /** Its difference from the portable kernel's results, relative to the tolerance; null if there is no result. */
  difference: number | null;
  /** Why it is not used. */
  refused?: string;
  nanoseconds?: number;
}

/**
 * Compares each candidate with the portable kernel on the same input, and times those that agree. Resolves with the
 * fastest. Throws if the portable kernel itself does not run: there is no reference then.
 */
export async function timeContest(device: Device, contest: Contest): Promise<Choice> {
  const { byRule, candidates, portable, reference } = contest;
  const scratch = makeScratch(device, contest);
  try {
    const all = new Map([...candidates, [portable, reference]]);
    const made = new Map([...all].map(([name, c]) => [name, prepare(device, contest, name, c, scratch)]));
    await Promise.allSettled(made.values()); // all pipelines at once
    await device.wait(device.gpu.queue.onSubmittedWorkDone());
    await run(device, contest, portable, await made.get(portable)!);
    const trials = new Map<string, Trial>();
    const passes = new Map<string, Pass>();
    const best = new Map<string, number>();
    for (const [name, contestant] of candidates) {
      const trial: Trial = { difference: null };
      trials.set(name, trial);
      try {
        const prepared = await made.get(name)!;
        if (contestant !== reference) {
          await run(device, contest, name, prepared);
          const found = await compare(device, contest, contestant, scratch);
          trial.difference = found.difference;
          trial.refused = found.wrong;
        } else trial.difference = 0;
        if (trial.refused !== undefined) continue;
        const [time] = await device.checked(`${contest.key}: ${name}`, () => measure(device, [prepared.pass]));
        best.set(name, time);
        passes.set(name, prepared.pass);
      } catch (error) {
        // Neither is the kernel's fault, and the next attempt may succeed.
        if (error instanceof TwingradError && ["DEVICE_LOST", "OUT_OF_MEMORY"].includes(error.code)) throw error;
        trial.refused = `it does not run: ${error instanceof Error ? error.message : error}`;
      }
    }
    const limit = hopeless * Math.min(...best.values());
    const close = [...passes].filter(([name]) => best.get(name)! <= limit);
    if (close.length > 1) await race(device, close, best);
    for (const [name, time] of best) trials.get(name)!.nanoseconds = time;
    return choiceOf(trials, best.size > 0 ? fastest(best, byRule) : portable);
  } finally {
    scratch.destroy();
  }
}

function choiceOf(trials: ReadonlyMap<string, Trial>, candidate: string): Choice {
  const of = <T>(value: (trial: Trial) => T | undefined) => {
    const all = [...trials].map(([name, trial]) => [name, value(trial)] as const);
    return Object.fromEntries(all.filter((entry): entry is [string, T & {}] => entry[1] !== undefined));
  };
  const refused = of((t) => t.refused);
  return {
    candidate,
    microseconds: of((t) => (t.nanoseconds === undefined ? null : Math.round(t.nanoseconds / 10) / 100)),
    differences: of((t) => (t.difference === null ? null : Number(t.difference.toPrecision(2)))),
    ...(Object.keys(refused).length > 0 && { refused }),
  };
}

/** The largest difference between its results and the reference's. */
async function compare(device: Device, contest: Contest, contestant: Contestant, { rangeOf }: Scratch) {
  const { reference } = contest;
  let [difference, compared] = [0, 0];
  for (const [n, expected] of reference.results.entries()) {
    const result = contestant.results[n];
    if (result?.bytes !== expected.bytes) return { difference: null, wrong: "the size of its result differs" };
    const ranges = [rangeOf(reference, expected), rangeOf(contestant, result)] as const;
    const found = await compareResults(device, expected, ...ranges, contestant.half);
    if (found.wrong) return { difference: found.difference, wrong: `${n + 1}. result: ${found.wrong}` };
    difference = Math.max(difference, found.difference);
    compared += found.compared;
  }
  if (compared === 0) return { difference: null, wrong: "the portable kernel produced no number to compare with" };
  return { difference };
}

/** Several rounds of the candidates in turns; `best` receives the shortest time of each, which has the least noise. */
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

/** The encoded passes of one candidate: the whole for comparison, the launches for timing. */
interface Prepared {
  readonly whole: Pass;
  readonly pass: Pass;
  /** Called right before the whole runs. */
  readonly poison: () => void;
}

/** Throws the GPU's errors about the candidate's pipelines. */
async function prepare(
  device: Device,
  { key }: Contest,
  name: string,
  contestant: Contestant,
  scratch: Scratch,
): Promise<Prepared> {
  const { kernels } = device;
  const what = `${key}: ${name}`;
  const { before, launches, after } = contestant;
  const all = [...before, ...launches, ...after];
  let making: Promise<GPUComputePipeline[]> | undefined;
  const [checked, made] = await Promise.allSettled([
    device.checked(what, () => {
      making = Promise.all(all.map((l) => kernels.pipeline(l.shader, l.constants, l.tunables)));
      making.catch(() => {}); // reported below
    }),
    device.wait(Promise.resolve().then(() => making!)),
  ]);
  for (const result of [made, checked]) if (result.status === "rejected") throw result.reason;
  const pipelines = (made as PromiseFulfilledResult<GPUComputePipeline[]>).value;
  const dispatches = await device.checked(what, () => {
    const shapes = writeShapes(device, all, scratch.make);
    return all.map(({ shader, bindings, workgroups }, i) => {
      const ranges = Object.entries(bindings).map(([binding, bound]) => {
        return [binding, scratch.rangeOf(contestant, bound)];
      });
      const bindGroup = kernels.bindGroup(shader, Object.fromEntries(ranges), shapes[i]);
      return { pipeline: pipelines[i], bindGroup, workgroups };
    });
  });
  const timed = dispatches.slice(before.length, before.length + launches.length);
  const passOf = (some: typeof dispatches) => (encoder: GPUComputePassEncoder) => {
    for (const dispatch of some) encode(encoder, dispatch);
  };
  return { whole: passOf(dispatches), pass: passOf(timed), poison: () => scratch.poison(contestant) };
}

/** Runs it once, with the launches that make its results comparable. */
const run = (device: Device, { key }: Contest, name: string, { whole, poison }: Prepared): Promise<void> =>
  device.checked(`${key}: ${name}`, () => {
    poison();
    const encoder = device.gpu.createCommandEncoder();
    const pass = encoder.beginComputePass();
    whole(pass);
    pass.end();
    device.gpu.queue.submit([encoder.finish()]);
  });
