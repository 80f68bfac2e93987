// Further functions for bench/gpu.ts: correctness, bandwidth, the article's step, and the chosen kernels.
import { adam, type Device, gradients, siamese, Tape, Trainer } from "../../src/index.ts";
import { lowerTape } from "../../src/tape/plan.ts";
import { createRunner } from "../../test/gpu/hosts/runner.ts";
import type { Worst } from "../../test/gpu/suite.ts";
import { cases } from "../../test/gpu/suites.ts";
import { adamOptions, batchOf, type Configuration, configurationNamed, l2 } from "../configurations.ts";
import "./main.ts"; // the page's functions, on Dawn
import { page } from "../page/main.ts";
import { open, setTuned, setTuningBudget } from "../page/ours.ts";

/** The chosen candidate of a choice, and the reason. */
export interface KernelChoice {
  readonly key: string;
  readonly taken: string;
  readonly why: string;
  /** Candidates that failed or differ from the portable kernel, with the reason. */
  readonly refused?: Readonly<Record<string, string>>;
}

/** How activations are kept. */
export interface ArticleForm {
  readonly storage: "float32" | "float16";
  readonly recompute: boolean;
}

export interface ArticleStep {
  readonly bytes: number;
  readonly dispatches: number;
  readonly compileMilliseconds: number;
  /** Milliseconds of each step but the first. */
  readonly milliseconds: readonly number[];
  readonly losses: readonly number[];
}

export interface Correctness {
  readonly passed: number;
  readonly failed: readonly { readonly name: string; readonly reason: string }[];
  /** Cases that were skipped for lack of time. */
  readonly left: number;
  /** The largest relative error of all checks, and the check that has it. */
  readonly worst?: Worst;
}

let device: Promise<Device> | undefined;
const start = () => {
  device ??= open();
  return device;
};

const extra = {
  /** Time limit in milliseconds for timing the kernels of each program. */
  async limitTuning(milliseconds: number): Promise<void> {
    setTuningBudget(milliseconds);
  },

  /** The features and limits that matter for the engine. */
  async described() {
    const { gpu, adapter } = await start();
    const names = [
      "maxBufferSize",
      "maxStorageBufferBindingSize",
      "maxComputeWorkgroupStorageSize",
      "maxComputeInvocationsPerWorkgroup",
    ] as const;
    const limits = Object.fromEntries(names.map((name) => [name, gpu.limits[name]]));
    const asked = await navigator.gpu.requestAdapter({ powerPreference: "high-performance" });
    return { ...adapter, features: [...(asked?.features ?? [])].sort(), limits };
  },

  /** Checks kernels against their float64 references, in the order of the suites, until the time is over. */
  async correctness(milliseconds: number): Promise<Correctness> {
    const deadline = performance.now() + milliseconds;
    const chosen = cases.filter(({ where, needsFixtures }) => where === "compilers" && !needsFixtures);
    const failed: { name: string; reason: string }[] = [];
    let passed = 0;
    let errors: readonly Worst[] = [];
    const runner = await createRunner({ seed: Date.now() % 2 ** 31, share: 0.5 }, navigator.gpu);
    for (const { name } of chosen) {
      if (performance.now() > deadline) break;
      const { error, worst } = await runner.run(name);
      errors = worst;
      if (error === undefined) passed++;
      else failed.push({ name, reason: error.split("\n")[0] });
    }
    const [worst] = [...errors].sort((a, b) => b.relative / b.tolerance - a.relative / a.tolerance);
    return { passed, failed, left: chosen.length - passed - failed.length, worst };
  },

  /** Bytes read and written per second when copying a buffer that exceeds the caches, one vec4f per thread. */
  async bandwidth(): Promise<{ bytes: number; gigabytesPerSecond: number }> {
    const { gpu } = await start();
    const bytes = Math.min(2 ** 28, gpu.limits.maxStorageBufferBindingSize);
    const [from, to] = [0, 1].map(() => gpu.createBuffer({ size: bytes, usage: GPUBufferUsage.STORAGE }));
    const code = `
      @group(0) @binding(0) var<storage, read> x: array<vec4f>;
      @group(0) @binding(1) var<storage, read_write> output: array<vec4f>;
      @compute @workgroup_size(256)
      fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
        let i = id.y * groups.x * 256u + id.x;
        if (i < arrayLength(&output)) { output[i] = x[i]; }
      }`;
    const module = gpu.createShaderModule({ code });
    const pipeline = await gpu.createComputePipelineAsync({ layout: "auto", compute: { module } });
    const entries = [from, to].map((buffer, binding) => ({ binding, resource: { buffer } }));
    const bindGroup = gpu.createBindGroup({ layout: pipeline.getBindGroupLayout(0), entries });
    const groups = bytes / 16 / 256;
    const x = Math.min(groups, 32768);
    const run = async (times: number) => {
      const encoder = gpu.createCommandEncoder();
      for (let i = 0; i < times; i++) {
        const pass = encoder.beginComputePass();
        pass.setPipeline(pipeline);
        pass.setBindGroup(0, bindGroup);
        pass.dispatchWorkgroups(x, Math.ceil(groups / x));
        pass.end();
      }
      const begun = performance.now();
      gpu.queue.submit([encoder.finish()]);
      await gpu.queue.onSubmittedWorkDone();
      return performance.now() - begun;
    };
    const once = await run(1);
    const times = Math.max(1, Math.min(200, Math.round(200 / once)));
    const best = Math.min(...[await run(times), await run(times), await run(times)]) / times;
    for (const buffer of [from, to]) buffer.destroy();
    return { bytes, gigabytesPerSecond: (2 * bytes) / best / 1e6 };
  },

  /** Steps of the article's network: as many as fit into the time, and at least three. */
  async article(pairs: number, side: number, form: ArticleForm, milliseconds: number): Promise<ArticleStep> {
    const c: Configuration = { ...configurationNamed("L"), name: "article", pairs, image: [side, side, 3] };
    const { image: imageSize, filters, embedding } = c;
    const begun = performance.now();
    const trainer = await Trainer.create(await start(), siamese({ imageSize, filters, embedding, seed: 1 }), {
      batchSize: pairs,
      l2,
      optimizer: adam(adamOptions),
      recovery: false,
      ...form,
    });
    const compileMilliseconds = performance.now() - begun;
    try {
      const batch = batchOf(c);
      const bytes = (pixels: Float32Array) => Uint8Array.from(pixels, (v) => Math.round(v * 255));
      const pictures = { ...batch, left: bytes(batch.left), right: bytes(batch.right) };
      const losses: number[] = [];
      const times: number[] = [];
      const deadline = performance.now() + milliseconds;
      for (let i = 0; i < 50 && (i < 3 || performance.now() < deadline); i++) {
        const stepBegun = performance.now();
        losses.push((await trainer.step(pictures)).loss);
        if (i > 0) times.push(performance.now() - stepBegun);
      }
      const { total } = await trainer.memory();
      const dispatches = (await trainer.launches()).length;
      return { bytes: total, dispatches, compileMilliseconds, milliseconds: times, losses };
    } finally {
      await trainer.dispose();
    }
  },

  /** The kernels of a step: with `tuned` the timed choices, else those by rule. */
  async choices(configuration: string, tuned: boolean): Promise<KernelChoice[]> {
    setTuned(tuned);
    const opened = await open();
    try {
      const { pairs, image: imageSize, filters, embedding } = configurationNamed(configuration);
      const network = siamese({ imageSize, filters, embedding, seed: 1 });
      const record = () => {
        const tape = new Tape(opened);
        const images = tape.input("images", [2 * pairs, ...imageSize]);
        const embeddings = network.tower(tape, images, { training: true, groups: 2 });
        const loss = network.head(tape, embeddings);
        const trained = [...tape.parameters.values()].filter((p) => p.trainable);
        const found = gradients(loss, trained, tape.input("gradient", loss.shape));
        return { tape, outputs: Object.fromEntries([loss, ...found].map((tensor, n) => [`${n}`, tensor])) };
      };
      const lowered = () => {
        const { tape, outputs } = record();
        const { launches } = lowerTape(tape, { outputs }).stages;
        tape.store.dispose();
        return launches;
      };
      await opened.tuner.tune(() => void lowered());
      const choices = new Map(lowered().flatMap(({ choice }) => (choice ? [[choice.key, choice] as const] : [])));
      const table = opened.tuner.table().choices;
      return [...choices.values()].map(({ key, taken, why }) => ({ key, taken, why, refused: table[key]?.refused }));
    } finally {
      opened.dispose();
    }
  },
};

export type GpuPage = typeof page & typeof extra;

Object.assign(page, extra);
