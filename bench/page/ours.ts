// twingrad itself, through its public API.
import {
  adam,
  batchNorm,
  conv2d,
  type Device,
  dense,
  gradients,
  Model,
  maxPool2d,
  openDevice,
  ParameterStore,
  type Program,
  siamese,
  Tape,
  type Tensor,
  Trainer,
  type TuningStore,
  type TuningTable,
} from "../../src/index.ts";
import { lowerTape } from "../../src/tape/plan.ts";
import { pageTuningStore } from "../../src/web/index.ts";
import { adamOptions, type Batch, batchNormEpsilon, type Configuration, l2, type Values } from "../configurations.ts";
import { type OperationCase, shapesOf } from "../operations.ts";
import type { Embeds, Engine, Subject, Weights } from "./engine.ts";

let device: Promise<Device> | undefined;
/** By default kernels are chosen by timing, as for users. */
let tuned = true;

/** The setting for the next opened device. */
export function setTuned(value: boolean): void {
  tuned = value;
}

let store: TuningStore | undefined;

/** The store without a browser's database. */
export function setTuningStore(value: TuningStore): void {
  store = value;
}

let budget = Number.POSITIVE_INFINITY;

/**
 * Sets the time limit in milliseconds for timing the kernels of each program that is compiled from now on; unlimited by
 * default.
 */
export function setTuningBudget(milliseconds: number): void {
  budget = milliseconds;
}

/** The table outlives the page in the browser's database, so that only the first page of a run times kernels. */
export function open(): Promise<Device> {
  if (!tuned) return openDevice();
  return openDevice({ tuning: { store: store ?? pageTuningStore(), budget } });
}

function start(): Promise<Device> {
  device ??= open();
  return device;
}

/** The choices so far, with the measured times. */
export async function tuningTable(): Promise<TuningTable | undefined> {
  return tuned ? (await start()).tuner.table() : undefined;
}

async function network(c: Configuration, parameters: Map<string, Values>, batch: Batch): Promise<Subject> {
  const { pairs: batchSize, image: imageSize, filters, embedding } = c;
  const trainer = await Trainer.create(await start(), siamese({ imageSize, filters, embedding, seed: 1 }), {
    batchSize,
    loss: "cross-entropy",
    l2,
    optimizer: adam(adamOptions),
  });
  const own = trainer.parameters();
  for (const [name, { data }] of parameters) own.get(name)!.write(data);
  // Pictures are uploaded as bytes, as the trainer expects; the peers get the same values as floats.
  const bytes = (pixels: Float32Array) => Uint8Array.from(pixels, (v) => Math.round(v * 255));
  const pictures = { ...batch, left: bytes(batch.left), right: bytes(batch.right) };
  return {
    async run(times) {
      const losses = [];
      for (let i = 0; i < times; i++) losses.push((await trainer.step(pictures)).loss);
      return losses;
    },
    async results() {
      return trainer.gradients(pictures);
    },
    profile: () => trainer.profile(pictures),
    dispose: () => void trainer.dispose(),
  };
}

/** The memory limit for copies of an operation's largest tensor. */
const largestCopies = 64 * 2 ** 20;

/** Records the case on a tape with parameters as operands, so that no step uploads anything. */
function record(c: OperationCase, o: Record<string, Tensor>): Tensor[] {
  if (c.kind === "conv2d" || c.kind === "dense") {
    const apply = (x: Tensor, weights: Tensor) => (c.kind === "conv2d" ? conv2d(x, weights) : dense(x, weights));
    const output = apply(o.x, o.filter ?? o.kernel);
    if (c.pass === "forward") return [output];
    return gradients(output, [c.pass === "input gradient" ? o.x : (o.filter ?? o.kernel)], o.gradient);
  }
  const { x, gamma, beta } = o;
  const output =
    c.kind === "maxPool2d" ? maxPool2d(x) : batchNorm(x, { gamma, beta, epsilon: batchNormEpsilon, groups: 2 });
  if (c.pass === "forward") return [output];
  return [output, ...gradients(output, c.kind === "maxPool2d" ? [x] : [x, gamma, beta], o.gradient)];
}

async function operation(c: OperationCase, operands: Record<string, Values>): Promise<Subject> {
  const opened = await start();
  const store = new ParameterStore(opened);
  const recorded = (copies: number) => {
    const tape = new Tape(opened, { parameters: store });
    const tensors = Object.entries(shapesOf(c)).map(([name, shape]) => {
      const given = operands[name];
      // Tensors that the pass does not read are recorded, but are not part of the program.
      if (!given) return [name, tape.constant(name, shape, new Float32Array())] as const;
      return [name, tape.parameter(name, shape, { initial: given.data })] as const;
    });
    const o: Record<string, Tensor> = Object.fromEntries(tensors);
    return { tape, results: Array.from({ length: copies }, () => record(c, o)).flat() };
  };
  const compile = (copies: number, outputs: (t: Tensor, tape: Tape) => Tensor): Promise<Program> => {
    const { tape, results } = recorded(copies);
    // All operands are parameters: their results would be constant-folded.
    return tape.compile({
      outputs: Object.fromEntries(results.map((t, i) => [`result ${i}`, outputs(t, tape)])),
      fold: false,
    });
  };
  // Submitting a program and reading its result back takes as long as for a step, so the measured program contains the
  // operation many times. One element of each result is read back, which keeps the result alive.
  const element = (t: Tensor, tape: Tape) => tape.view(t, [1]);
  const bytes = 4 * Math.max(...Object.values(shapesOf(c)).map((shape) => shape.reduce((a, b) => a * b, 1)));
  const copies = Math.min(16, Math.max(1, Math.floor(largestCopies / bytes)));
  await opened.tuner.tune(() => {
    const { tape, results } = recorded(1);
    lowerTape(tape, { outputs: Object.fromEntries(results.map((t, i) => [`result ${i}`, t])) });
  });
  const single = await compile(1, element);
  const many = await compile(copies, element);
  return {
    async run(times) {
      const runs = [];
      for (let left = times; left > 0; left -= left >= copies ? copies : 1) {
        runs.push((left >= copies ? many : single).run());
      }
      await Promise.all(runs);
      return [];
    },
    async results() {
      const whole = await compile(1, (t) => t);
      const found = await whole.run();
      whole.dispose();
      return new Map(Object.entries(found).map(([name, values]) => [name, values as Float32Array]));
    },
    dispose() {
      single.dispose();
      many.dispose();
      store.dispose();
    },
  };
}

/** Through a model file, as in a page, and from floats, as the peers. */
async function inference(_: Configuration, { model: file }: Weights, count: number): Promise<Embeds> {
  const opened = await start();
  const model = await Model.open(opened, file, { batchSize: count });
  return {
    embed: (pictures) => model.embed(pictures),
    dispose: () => model.dispose(),
  };
}

export const ours: Engine = { name: "twingrad", network, operation, inference };
