// Checks a training step of two sizes against float64 on the host, and times it relative to the adapter's peak of
// multiply-adds. Whatever does not fit into the time limit is reported as skipped.
import { Random } from "../../../data/random.ts";
import { TwingradError } from "../../../errors.ts";
import { measurePeak } from "../../../gpu/adapter/peak.ts";
import type { Device } from "../../../gpu/device.ts";
import type { KernelTime } from "../../../gpu/program.ts";
import { siamese } from "../../../nn/siamese.ts";
import { adam } from "../../../optim/adam.ts";
import { operationsOf } from "../../../tape/lowering/partOperations.ts";
import { Trainer } from "../../../train/trainer.ts";
import type { Benchmark, BenchmarkCheck, BenchmarkKernel, BenchmarkStep, GpuDescription } from "../../messages.ts";
import { directionalDerivative, type HostBatch, hostLoss } from "./float64.ts";
import { operationsOfStep, type Size, sizes } from "./sizes.ts";

/** Time limit in seconds. */
const most = 120;
/** Time limit in seconds for the steps of one size, and how many are enough. */
const perSize = 12;
const enoughSteps = 30;
const l2 = 0.1;
/** Relative tolerance: float32 against float64, through a whole step. */
const allowed = { loss: 1e-4, gradient: 1e-2 };

export interface BenchmarkControl {
  readonly canceled: () => boolean;
  readonly told: (text: string, done: number, total: number) => void;
}

export class Canceled extends TwingradError {
  constructor() {
    super("BAD_INPUT", "The benchmark was canceled.");
  }
}

export async function benchmark(
  device: Device,
  gpu: GpuDescription,
  { canceled, told }: BenchmarkControl,
): Promise<Benchmark> {
  const begun = performance.now();
  const seconds = () => (performance.now() - begun) / 1000;
  const checks: BenchmarkCheck[] = [];
  const steps: BenchmarkStep[] = [];
  const left: string[] = [];
  /** Lets messages in, and throws where one of them canceled. */
  const breathe = async () => {
    await new Promise((done) => setTimeout(done));
    if (canceled()) throw new Canceled();
  };
  const parts = 2 * sizes.length + 1;
  let done = 0;
  const part = async (text: string) => {
    told(text, done++, parts);
    await breathe();
  };
  /** Tells which share of the present part is complete. */
  const within = (text: string) => async (share: number) => {
    told(text, done - 1 + share, parts);
    await breathe();
  };

  const trainers = new Map<string, { trainer: Trainer; batch: ReturnType<typeof batchOf> }>();
  try {
    for (const size of sizes) {
      const text = `Benchmark: checking ${size.name}`;
      await part(text);
      const trainer = await trainerOf(device, size);
      const batch = batchOf(size);
      trainers.set(size.name, { trainer, batch });
      checks.push(...(await checksOf(size, trainer, batch, within(text), () => seconds() < most / 2, left)));
    }
    await part("Benchmark: measuring peak throughput");
    const peak = (await measurePeak(breathe)).gflops;
    for (const size of sizes) {
      await part(`Benchmark: training steps of ${size.name}`);
      if (seconds() > most - perSize) {
        left.push(`steps of ${size.name}`);
        continue;
      }
      const { trainer, batch } = trainers.get(size.name)!;
      steps.push(
        await timed(size, trainer, batch, { peak, breathe, timestamps: gpu.features.includes("timestamp-query") }),
      );
    }
    return {
      date: new Date().toISOString(),
      browser: navigator.userAgent,
      gpu,
      seconds: seconds(),
      correct: checks.every(({ error, allowed }) => error <= allowed),
      checks,
      peakGflops: peak,
      steps,
      left,
    };
  } finally {
    for (const { trainer } of trainers.values()) await trainer.dispose();
  }
}

function trainerOf(device: Device, { pairs, imageSize, filters, embedding }: Size): Promise<Trainer> {
  return Trainer.create(device, siamese({ imageSize, filters, embedding, seed: 1 }), {
    batchSize: pairs,
    loss: "cross-entropy",
    l2,
    optimizer: adam({ learningRate: 1e-3 }),
  });
}

/** Random pixels; pairs are genuine and impostor in turn. */
function batchOf({ pairs, imageSize: [height, width, channels] }: Size) {
  const random = new Random(1, 1);
  const pictures = () => Uint8Array.from({ length: pairs * height * width * channels }, () => random.integer(256));
  return {
    left: pictures(),
    right: pictures(),
    leftLabels: Int32Array.from({ length: pairs }, (_, i) => i),
    rightLabels: Int32Array.from({ length: pairs }, (_, i) => (i % 2 === 0 ? i : pairs + i)),
  };
}

type Batch = ReturnType<typeof batchOf>;

/**
 * Checks the loss, and each gradient along its own direction, where the loss must change by the gradient's norm. Any
 * error in a gradient changes one of the two. The gradient of a convolution's bias is zero in exact arithmetic, since
 * batch-norm removes constants, and is skipped.
 */
async function checksOf(
  size: Size,
  trainer: Trainer,
  batch: Batch,
  reached: (share: number) => Promise<void>,
  hasTime: () => boolean,
  left: string[],
): Promise<BenchmarkCheck[]> {
  const found = await trainer.gradients(batch);
  const parameters = new Map<string, Float32Array>();
  for (const [name, parameter] of trainer.parameters()) parameters.set(name, await parameter.read());
  const onHost = hostBatch(batch, size);
  const expected = hostLoss(parameters, onHost, l2);
  const gradients = [...found].filter(([name]) => name !== "loss" && !name.endsWith("conv/bias"));
  const groups = size.everyGradient ? gradients.map((one) => [one]) : [gradients];
  const share = 1 / (groups.length + 1);
  await reached(share);
  const relative = (value: number, reference: number) => Math.abs(value - reference) / Math.abs(reference);
  const checks: BenchmarkCheck[] = [
    { name: `${size.name}: loss`, error: relative(found.get("loss")![0], expected), allowed: allowed.loss },
  ];
  for (const [index, group] of groups.entries()) {
    const name = `${size.name}: gradient of ${group.length === 1 ? group[0][0] : "all parameters together"}`;
    if (!hasTime()) {
      left.push(name);
      continue;
    }
    const norm = Math.sqrt(group.reduce((sum, [, values]) => sum + values.reduce((s, v) => s + v * v, 0), 0));
    const direction = new Map(group.map(([own, values]) => [own, Float64Array.from(values, (v) => v / norm)]));
    const slope = directionalDerivative(parameters, onHost, l2, direction);
    checks.push({ name, error: relative(norm, slope), allowed: allowed.gradient });
    await reached((index + 2) * share);
  }
  return checks;
}

function hostBatch({ left, right, leftLabels, rightLabels }: Batch, { imageSize }: Size): HostBatch {
  return {
    pictures: Float64Array.from([...left, ...right], (byte) => byte / 255),
    same: Float64Array.from(leftLabels, (label, i) => (label === rightLabels[i] ? 1 : 0)),
    imageSize,
  };
}

async function timed(
  size: Size,
  trainer: Trainer,
  batch: Batch,
  { peak, breathe, timestamps }: { peak: number; breathe: () => Promise<void>; timestamps: boolean },
): Promise<BenchmarkStep> {
  for (let i = 0; i < 2; i++) await trainer.step(batch); // the first one compiles
  const times: number[] = [];
  const begun = performance.now();
  while (times.length < enoughSteps && performance.now() - begun < perSize * 500) {
    const before = performance.now();
    await trainer.step(batch);
    times.push(performance.now() - before);
    await breathe();
  }
  const milliseconds = times.sort((a, b) => a - b)[times.length >> 1];
  const gflops = operationsOfStep(size) / milliseconds / 1e6;
  const kernels = timestamps ? kernelsOf(await trainer.profile(batch), peak) : null;
  const { name, pairs, imageSize, filters, embedding } = size;
  const description = `${pairs} pairs of ${imageSize.join(" x ")}, filters ${filters.join(", ")}, embedding ${embedding}`;
  return { name, description, milliseconds, steps: times.length, gflops, shareOfPeak: gflops / peak, kernels };
}

/** Grouped by operation, where it has several kernels; otherwise by kernel. */
function kernelsOf(launches: readonly KernelTime[], peak: number): BenchmarkKernel[] {
  const total = launches.reduce((sum, { nanoseconds }) => sum + nanoseconds, 0);
  const groups = new Map<string, KernelTime[]>();
  for (const launch of launches) {
    const name = launch.part ?? launch.kernel;
    groups.set(name, [...(groups.get(name) ?? []), launch]);
  }
  return [...groups]
    .map(([name, own]) => {
      const nanoseconds = own.reduce((sum, launch) => sum + launch.nanoseconds, 0);
      const operations = operationsOf(name);
      const shareOfPeak = operations === undefined || nanoseconds === 0 ? null : operations / nanoseconds / peak;
      return { name, launches: own.length, milliseconds: nanoseconds / 1e6, share: nanoseconds / total, shareOfPeak };
    })
    .sort((a, b) => b.milliseconds - a.milliseconds);
}
