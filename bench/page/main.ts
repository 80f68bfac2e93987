// The page with the engines; the driver in Node calls it to set up, compare and time.

import { measurePeak, type Peak, peakNow } from "../../src/gpu/adapter/peak.ts";
import type { KernelTime } from "../../src/index.ts";
import { batchOf, configurationNamed, generator, parametersOf, uniform } from "../configurations.ts";
import { operandShapes, operationCases } from "../operations.ts";
import { type Agreement, compare } from "./compare.ts";
import { Account, type Counts, install, setCurrent } from "./count.ts";
import type { Embedding, Engine, Subject } from "./engine.ts";
import {
  agreeOnEmbeddings,
  closeInference,
  type InferenceWorkload,
  openInference,
  timeIdentify,
  timeInference,
} from "./inference.ts";
import {
  checkMatch,
  closeMatch,
  type MatchSetup,
  type MatchSize,
  type MetricName,
  openMatch,
  timeLoop,
  timeMatch,
} from "./match.ts";
import { ours, setTuned, tuningTable } from "./ours.ts";
import { type Start, start } from "./start.ts";

/** The work under test: a whole training step, or one of a configuration's operations. */
export interface Workload {
  readonly configuration: string;
  readonly operation?: number;
}

export interface Block {
  readonly milliseconds: number;
  readonly losses: number[];
  /** Milliseconds of each step from its start to its last submit: the engine's own CPU time before it waits. */
  readonly toLastSubmit: readonly number[];
}

export interface Usage extends Counts {
  readonly peakBytes: number;
  readonly liveBytes: number;
  readonly liveBuffers: number;
}

/** Loaded when first needed, so that an engine that cannot run does not affect the others. */
const engines: Record<string, () => Promise<Engine>> = {
  [ours.name]: async () => ours,
  tfjs: async () => (await import("./tfjs.ts")).tfjs,
  "jax-js": async () => (await import("./jax.ts")).jax,
};
/** Engines for inference only. */
const embedders: Record<string, () => Promise<Embedding>> = {
  onnxruntime: async () => (await import("./onnxruntime.ts")).onnxruntime,
  "onnxruntime-wasm": async () => (await import("./onnxruntime.ts")).onnxruntimeWasm,
};
const accounts = new Map<string, Account>();
const subjects = new Map<string, { readonly subject: Subject; readonly isStep: boolean }>();

/** Runs `work` and counts its WebGPU calls for the engine. */
async function on<T>(name: string, work: (account: Account) => Promise<T>): Promise<T> {
  const account = accounts.get(name) ?? new Account();
  accounts.set(name, account);
  setCurrent(account);
  try {
    return await work(account);
  } finally {
    setCurrent(undefined);
  }
}

export const page = {
  async adapter() {
    const adapter = await navigator.gpu.requestAdapter({ powerPreference: "high-performance" });
    if (!adapter) throw new Error("WebGPU found no adapter.");
    const { vendor, architecture, description } = adapter.info;
    return { vendor, architecture, description, timestamps: adapter.features.has("timestamp-query") };
  },

  /** Why an engine cannot run here; null if it can. */
  async absent(name: string): Promise<string | null> {
    try {
      if (name in embedders) {
        await this.openInference(name, { configuration: "S", count: 1 });
        await this.closeInference();
        return null;
      }
      await this.open(name, { configuration: "S", operation: 0 });
      await this.run(name, 1);
      await this.close();
      return null;
    } catch (error) {
      return error instanceof Error ? error.message.split("\n")[0] : String(error);
    }
  },

  peak: (): Promise<Peak> => measurePeak(),

  /** The current result of the peak's fastest loop. */
  peakNow: (peak: Pick<Peak, "form" | "accumulators">): Promise<number> => peakNow(peak),

  /** Chooses our kernels by timing or by rule; to be called before anything else on the page. */
  async tuned(value: boolean): Promise<void> {
    setTuned(value);
  },

  tuning: () => tuningTable(),

  /** The time to our first finished step, on a fresh page. */
  start: (configuration: string): Promise<Start> =>
    on(ours.name, (account) => start(configurationNamed(configuration), account)),

  /** Creates a gallery of random rows, on the GPU and for a loop; on a fresh page. */
  openMatch: (metric: MetricName, size: MatchSize): Promise<MatchSetup> =>
    on(ours.name, (account) => openMatch(metric, size, account)),
  checkMatch,
  timeMatch,
  timeLoop,
  closeMatch,

  /**
   * Milliseconds from starting an engine to its first embeddings, on a fresh page for each engine.
   */
  openInference: (name: string, workload: InferenceWorkload): Promise<number> =>
    on(name, () => openInference(engines[name] ?? embedders[name], workload)),
  agreeOnEmbeddings,
  timeInference: (name: string, times: number): Promise<number> => on(name, () => timeInference(name, times)),
  closeInference,
  timeIdentify,

  async open(name: string, { configuration, operation }: Workload): Promise<void> {
    if (!(name in engines)) throw new Error(`Unknown engine "${name}"; expected one of ${Object.keys(engines)}.`);
    const c = configurationNamed(configuration);
    const subject = await on(name, async () => {
      const engine = await engines[name]();
      if (operation === undefined) return engine.network(c, parametersOf(c), batchOf(c));
      const chosen = operationCases(c)[operation];
      const random = generator(operation);
      const operands = Object.entries(operandShapes(chosen)).map(([n, shape]) => [n, uniform(random, shape, -1, 1)]);
      return engine.operation(chosen, Object.fromEntries(operands));
    });
    subjects.set(name, { subject, isStep: operation === undefined });
  },

  /** Compares all open subjects with the first; the first itself is left out. */
  async agree(): Promise<Record<string, Agreement>> {
    let reference: Map<string, Float32Array> | undefined;
    const agreements: Record<string, Agreement> = {};
    for (const [name, { subject }] of subjects) {
      const results = await on(name, () => subject.results());
      if (reference) agreements[name] = compare(results, reference);
      reference ??= results;
    }
    return agreements;
  },

  run(name: string, times: number): Promise<Block> {
    return on(name, async (account) => {
      const { subject, isStep } = subjects.get(name)!;
      const toLastSubmit: number[] = [];
      const losses: number[] = [];
      const start = performance.now();
      // Steps wait for each other anyway; several operations are in flight.
      for (let i = 0; isStep && i < times; i++) {
        const begun = performance.now();
        losses.push(...(await subject.run(1)));
        toLastSubmit.push(account.lastSubmit - begun);
      }
      if (!isStep) await subject.run(times);
      return { milliseconds: performance.now() - start, losses, toLastSubmit };
    });
  },

  /** Profiles one more of our steps, launch by launch. */
  async profile(): Promise<KernelTime[]> {
    const { subject } = subjects.get(ours.name)!;
    if (!subject.profile) throw new Error("Only a training step can be profiled.");
    return on(ours.name, subject.profile);
  },

  /** The engine's WebGPU calls since the last call of `usage`, and the memory that it holds. */
  async usage(name: string): Promise<Usage> {
    const account = accounts.get(name)!;
    const { counts, peakBytes, liveBytes, liveBuffers } = account;
    account.reset();
    return { ...counts, peakBytes, liveBytes, liveBuffers };
  },

  async close(): Promise<void> {
    for (const [name, { subject }] of subjects) await on(name, async () => subject.dispose());
    subjects.clear();
  },
};

export type Page = typeof page;

install();

/**
 * The driver calls through this function and gets the result later: a slow peer may exceed the browser protocol's
 * timeout.
 */
declare function settle(id: number, error: string | null, value: string): void;

Object.assign(globalThis, {
  start(id: number, method: keyof Page, rest: unknown[]) {
    (page[method] as (...rest: unknown[]) => Promise<unknown>)(...rest).then(
      (value) => settle(id, null, JSON.stringify(value ?? null)),
      (error: unknown) => settle(id, error instanceof Error ? error.message : String(error), "null"),
    );
  },
});
