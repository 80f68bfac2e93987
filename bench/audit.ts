// Writes our kernels to a file for tools that compile WGSL and inspect the GPU's machine code: every launch of every
// candidate, recorded by the operations themselves on a device that only claims to be a GPU.
import { spawnSync } from "node:child_process";
import { mkdir, writeFile } from "node:fs/promises";
import { dirname } from "node:path";
import { Command } from "commander";
import type { Contest, TimedLaunch } from "../src/gpu/contest.ts";
import { Device } from "../src/gpu/device.ts";
import { overridesOf, specialize } from "../src/gpu/shader.ts";
import { shapeOf } from "../src/gpu/shapeUniform.ts";
import { batchNorm, conv2d, dense, gradients, maxPool2d, Tape, type Tensor } from "../src/index.ts";
import { lowerTape } from "../src/tape/plan.ts";

interface BoundBuffer {
  readonly binding: number;
  readonly size: number;
  /** The buffer's content, if the kernel depends on it. */
  readonly words?: readonly number[];
}

/** One dispatch, in a form for any such tool. */
interface Item {
  readonly label: string;
  readonly code: string;
  readonly entry: string;
  readonly constants: Readonly<Record<string, number>>;
  readonly dispatch: readonly [number, number, number];
  readonly bindings: readonly (BoundBuffer & { readonly group: 0 })[];
  /**
   * Multiply-adds of the whole operation in its direct form, also if this dispatch is a part of it; absent if it has
   * none.
   */
  readonly macs?: number;
}

interface Pass {
  readonly name: string;
  readonly macs?: number;
  /** The requested tensors: only their launches are recorded. */
  record(tape: Tape): readonly Tensor[];
}

const input = (tape: Tape, name: string, shape: readonly number[]) => tape.input(name, shape);

function convolution(name: string, [batch, height, width, channels]: readonly number[], filters: number): Pass[] {
  const macs = batch * height * width * 9 * channels * filters;
  const operands = (tape: Tape) => ({
    x: input(tape, "x", [batch, height, width, channels]),
    filter: input(tape, "filter", [3, 3, channels, filters]),
    gradient: input(tape, "gradient", [batch, height, width, filters]),
  });
  const by = (of: "x" | "filter") => (tape: Tape) => {
    const o = operands(tape);
    const y = conv2d(o.x, o.filter);
    return gradients(y, [o[of]], o.gradient);
  };
  const forward = (tape: Tape) => {
    const { x, filter } = operands(tape);
    return [conv2d(x, filter)];
  };
  return [
    { name: `${name} forward`, macs, record: forward },
    { name: `${name} input gradient`, macs, record: by("x") },
    { name: `${name} filter gradient`, macs, record: by("filter") },
  ];
}

function denseLayer(name: string, batch: number, inputs: number, outputs: number): Pass[] {
  const macs = batch * inputs * outputs;
  const operands = (tape: Tape) => ({
    x: input(tape, "x", [batch, inputs]),
    kernel: input(tape, "kernel", [inputs, outputs]),
    gradient: input(tape, "gradient", [batch, outputs]),
  });
  const by = (of: "x" | "kernel") => (tape: Tape) => {
    const o = operands(tape);
    const y = dense(o.x, o.kernel);
    return gradients(y, [o[of]], o.gradient);
  };
  const forward = (tape: Tape) => {
    const { x, kernel } = operands(tape);
    return [dense(x, kernel)];
  };
  return [
    { name: `${name} forward`, macs, record: forward },
    { name: `${name} input gradient`, macs, record: by("x") },
    { name: `${name} kernel gradient`, macs, record: by("kernel") },
  ];
}

/** The fused block of the tower, with both gradients; for pictures without that of x. */
function block(name: string, [batch, height, width, channels]: readonly number[], filters: number): Pass {
  return {
    name,
    macs: batch * height * width * 9 * channels * filters,
    record(tape) {
      const x = input(tape, "x", [batch, height, width, channels]);
      const filter = input(tape, "filter", [3, 3, channels, filters]);
      const [bias, gamma, beta] = ["bias", "gamma", "beta"].map((of) => input(tape, of, [filters]));
      const pooled = maxPool2d(conv2d(x, filter, { bias }));
      const y = batchNorm(pooled, { gamma, beta, groups: 2, activation: "relu" });
      const wanted = channels % 4 === 0 ? [x, filter, gamma, beta] : [filter, gamma, beta];
      return gradients(y, wanted, input(tape, "gradient", [batch, height / 2, width / 2, filters]));
    },
  };
}

const image = [4, 56, 56, 64];

const passes: readonly Pass[] = [
  ...convolution("conv2d", image, 64),
  ...convolution("first layer", [4, 56, 56, 3], 64).filter(({ name }) => !name.endsWith("input gradient")),
  block("block", image, 64),
  block("first block", [4, 56, 56, 3], 64),
  ...denseLayer("dense 256 x 6272 x 1024", 256, 6272, 1024),
  ...denseLayer("dense 16 x 6272 x 1024", 16, 6272, 1024),
  {
    name: "max-pool",
    record(tape) {
      const x = input(tape, "x", image);
      const y = maxPool2d(x);
      return [y, ...gradients(y, [x], input(tape, "gradient", [4, 28, 28, 64]))];
    },
  },
  {
    name: "batch-norm",
    record(tape) {
      const x = input(tape, "x", image);
      const [gamma, beta] = ["gamma", "beta"].map((name) => input(tape, name, [64]));
      const y = batchNorm(x, { gamma, beta, groups: 2, activation: "relu" });
      return [y, ...gradients(y, [x, gamma, beta], input(tape, "gradient", image))];
    },
  },
];

/** A device described as a GPU, for choosing kernels; it never executes anything. */
function describedDevice(onContest: (key: string, candidates: Contest["candidates"]) => void) {
  const limits = { maxStorageBufferBindingSize: 2 ** 30, maxBufferSize: 2 ** 30 };
  const gpu = {
    lost: new Promise(() => {}),
    limits,
    features: new Set(["subgroups", "shader-f16"]),
  } as unknown as GPUDevice;
  const device = new Device(gpu, { vendor: "", architecture: "", description: "", software: false });
  device.tuner.choice = () => undefined;
  device.tuner.unknown = (key, _byRule, capture) => onContest(key, capture().candidates);
  return device;
}

function contentsOf(launch: Parameters<typeof shapeOf>[0]): Omit<BoundBuffer, "binding"> {
  const bytes = shapeOf(launch);
  return { size: bytes.byteLength, words: [...new Uint32Array(bytes.buffer)] };
}

export function kernelSet(): Item[] {
  const all: Item[] = [];
  for (const { name, macs, record } of passes) {
    const items = new Map<string, Item>();
    const add = (candidate: string, launches: readonly TimedLaunch[]) => {
      for (const { shader, bindings, constants, tunables, workgroups } of launches) {
        const what = JSON.stringify([shader.name, constants, tunables, workgroups]);
        if (items.has(what)) continue;
        items.set(what, {
          label: [name, candidate, shader.name].filter((part) => part !== "").join(": "),
          code: specialize(shader, tunables),
          entry: "main",
          constants: overridesOf(shader, constants),
          dispatch: workgroups,
          bindings: [
            ...Object.entries(bindings).map(([name, { bytes }]) => ({ ...shader.bindings[name], size: bytes })),
            ...(shader.shape ? [{ ...shader.shape, ...contentsOf({ shader, constants }) }] : []),
          ].map(({ binding, size, words }: BoundBuffer) => ({ group: 0, binding, size, words })),
          macs,
        });
      }
    };
    const tape = new Tape(
      describedDevice((key, candidates) => {
        for (const [candidate, { launches }] of candidates) add(`${key.split(" ")[0]} ${candidate}`, launches);
      }),
    );
    const outputs = Object.fromEntries(record(tape).map((tensor, i) => [`output ${i}`, tensor]));
    add("", lowerTape(tape, { outputs }).stages.launches);
    all.push(...items.values());
  }
  return all;
}

const megabytes = (bytes: number) => (bytes / 2 ** 20).toFixed(1).padStart(8);

/** The bound bytes (those moved if everything is read or written once), and the operations per byte. */
function table(items: readonly Item[]): string {
  const lines = items.map(({ label, bindings, macs, dispatch }) => {
    const bytes = bindings.reduce((sum, { size }) => sum + size, 0);
    const intensity = macs ? ((2 * macs) / bytes).toFixed(1).padStart(8) : "       -";
    return `${label.padEnd(78)}${megabytes(bytes)} MB${intensity}  ${dispatch.join(" x ")}`;
  });
  return ["kernel, bytes bound, operations of the layer for each byte, workgroups", ...lines].join("\n");
}

const options = new Command("audit")
  .description("Records every kernel that our operations would launch on a GPU, and passes the set to a tool.")
  .option("--out <file>", "where to write the set", "build/audit/kernels.json")
  .option("--only <text>", "only kernels whose label contains this")
  .option("--run <command>", "run by the shell with the set's file as its last argument", process.env.KERNEL_AUDIT)
  .parse()
  .opts<{ out: string; only?: string; run?: string }>();

const { only } = options;
const items = kernelSet().filter(({ label }) => only === undefined || label.includes(only));
await mkdir(dirname(options.out), { recursive: true });
await writeFile(options.out, JSON.stringify(items, null, 1));
if (options.run) {
  const { status } = spawnSync(`${options.run} ${JSON.stringify(options.out)}`, { shell: true, stdio: "inherit" });
  process.exitCode = status ?? 1;
} else console.log(`${table(items)}\n\n${items.length} kernels in ${options.out}`);
