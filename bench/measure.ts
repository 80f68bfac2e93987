// One run: for each workload all engines are first compared, then timed in turn (A B C A B C ...), so that other load
// on the machine affects them alike.

import type { Peak } from "../src/gpu/adapter/peak.ts";
import { agreeOnOperation, agreeOnStep, ourName, patience, type StepAgreement } from "./agree.ts";
import { configurationNamed, operationsOfStep } from "./configurations.ts";
import type { BenchHost } from "./host.ts";
import { median } from "./median.ts";
import { operationCases } from "./operations.ts";
import type { Agreement } from "./page/compare.ts";
import type { Block, Usage, Workload } from "./page/main.ts";
import { type Convolutions, profileOpenStep } from "./profile.ts";

export interface Measured {
  /** Milliseconds of one step or operation: the median over the blocks. */
  readonly milliseconds: number;
  /** Milliseconds of each block, in the order of the rounds. */
  readonly blocks: readonly number[];
  readonly repeatsPerBlock: number;
  /** True if one execution took so long that it was not repeated; the time then includes its start-up. */
  readonly once: boolean;
  /** Billions of operations a second, a multiply-add counted as two; absent where the work is bound by memory. */
  readonly gflops?: number;
  /** Share of the multiply-add peak, the median over the rounds. */
  readonly shareOfPeak?: number;
  /** The WebGPU calls of one step after warmup, and the memory that the engine then holds. */
  readonly step?: Usage & { readonly encodeMilliseconds: number };
  /** The profile of our training step, if the adapter has timestamps. */
  readonly convolutions?: Convolutions;
}

export interface Result {
  readonly name: string;
  readonly suite: "step" | "kernels";
  readonly configuration: string;
  /** Operations of one execution, a multiply-add counted as two. */
  readonly gflop: number;
  /** Largest relative difference from us, by peer. */
  readonly agreement: Readonly<Record<string, Agreement | StepAgreement>>;
  readonly ours: Measured;
  readonly peers: Readonly<Record<string, Measured>>;
  /** Median over the rounds of a peer's time divided by ours: above 1 we are faster. */
  readonly ratio: Readonly<Record<string, number>>;
}

export interface Options {
  readonly peers: readonly string[];
  /** Only kernels whose name contains this are measured. */
  readonly only?: string;
  readonly rounds: number;
  /** The adapter's multiply-add peak; shares refer to the peak loop's result in the same round. */
  readonly peak: Pick<Peak, "form" | "accumulators" | "gflops">;
  /** The adapter's copy bandwidth in GB/s, if it is known. */
  readonly bandwidth?: number;
  /** Time limit in milliseconds of an engine's warmup; see `settling`. */
  readonly settle?: number;
  /** Whether launches can be timed by themselves. */
  readonly timestamps: boolean;
  readonly progress: (line: string) => void;
}

/**
 * Work that takes less than this is run once more before it is measured: some engines reach their speed after two
 * steps.
 */
const quick = 5_000;
const blockLength = 300;

/**
 * A browser optimizes code after some dozens of executions, as in a training. So each engine makes this many steps
 * before it is timed, or as many as the time allows, and encoding is measured in the second half of them. It is not
 * measured in the rounds, because their steps follow another engine's, unlike those of a training.
 */
const settling = { steps: 60, milliseconds: 60_000 };

export async function measureSteps(browser: BenchHost, names: readonly string[], options: Options): Promise<Result[]> {
  const engines = [ourName, ...options.peers];
  const { page } = browser;
  const results: Result[] = [];
  for (const name of names) {
    const c = configurationNamed(name);
    const agreement = await agreeOnStep(browser, engines, name, options.progress);
    // A fresh page, so that memory and start-up do not include the check.
    await browser.reload();
    const timed = await timeAll(page, engines, { configuration: name }, operationsOfStep(c) / 1e9, true, options);
    const profile = options.timestamps ? await profileOpenStep(page, c, options) : undefined;
    const ours = { ...timed.ours, ...(profile && { convolutions: profile.convolutions }) };
    results.push({ name: `step ${name}`, suite: "step", configuration: name, ...timed, ours, agreement });
    await page.close();
  }
  return results;
}

export async function measureKernels(
  browser: BenchHost,
  names: readonly string[],
  options: Options,
): Promise<Result[]> {
  const engines = [ourName, ...options.peers];
  const { page } = browser;
  const results: Result[] = [];
  for (const configuration of names) {
    await browser.reload();
    for (const [operation, { name, operations }] of operationCases(configurationNamed(configuration)).entries()) {
      if (options.only !== undefined && !name.includes(options.only)) continue;
      options.progress(`${configuration}: ${name}`);
      const workload = { configuration, operation };
      const agreement = await agreeOnOperation(page, engines, workload, name);
      const timed = await timeAll(page, engines, workload, operations / 1e9, false, options);
      await page.close();
      results.push({ name, suite: "kernels", configuration, ...timed, agreement });
    }
  }
  return results;
}

async function timeAll(
  page: BenchHost["page"],
  engines: readonly string[],
  workload: Workload,
  gflop: number,
  withUsage: boolean,
  options: Options,
) {
  const blocks = new Map<string, number[]>();
  const repeats = new Map<string, number>();
  const usage = new Map<string, Usage>();
  const encoding = new Map<string, readonly number[]>();
  const peaks: number[] = [];
  const once = new Set<string>();
  for (const engine of engines) {
    await page.open(engine, workload);
    await page.usage(engine);
    let block: Block = await page.run(engine, 1);
    if (block.milliseconds > patience) {
      once.add(engine);
      blocks.set(engine, [block.milliseconds]);
      repeats.set(engine, 1);
    } else {
      if (block.milliseconds < quick) await page.run(engine, 1);
      await page.usage(engine);
      block = await page.run(engine, 1);
      blocks.set(engine, []);
      repeats.set(engine, Math.min(100, Math.max(1, Math.round(blockLength / block.milliseconds))));
    }
    const steps = [...block.toLastSubmit];
    const settles = withUsage && !once.has(engine);
    for (
      let spent = 0;
      settles && steps.length < settling.steps && spent <= (options.settle ?? settling.milliseconds);
    ) {
      await page.usage(engine);
      block = await page.run(engine, 1);
      steps.push(...block.toLastSubmit);
      spent += block.milliseconds;
    }
    encoding.set(engine, steps.slice(steps.length >> 1));
    if (withUsage) usage.set(engine, await page.usage(engine));
  }
  for (let round = 0; round < options.rounds; round++) {
    if (gflop > 0) peaks.push(await page.peakNow(options.peak));
    for (const engine of engines) {
      if (once.has(engine)) continue;
      const times = repeats.get(engine)!;
      const { milliseconds } = await page.run(engine, times);
      blocks.get(engine)!.push(milliseconds / times);
    }
    if (withUsage) options.progress(`step ${workload.configuration}: round ${round + 1} of ${options.rounds}`);
  }
  const measured = (engine: string): Measured => {
    const milliseconds = median(blocks.get(engine)!);
    const gflops = gflop / (milliseconds / 1e3);
    const used = usage.get(engine);
    const shareOfPeak = once.has(engine)
      ? gflops / median(peaks)
      : median(peaks.map((peak, round) => gflop / (blocks.get(engine)![round] / 1e3) / peak));
    return {
      milliseconds,
      blocks: blocks.get(engine)!,
      repeatsPerBlock: repeats.get(engine)!,
      once: once.has(engine),
      ...(gflop > 0 ? { gflops, shareOfPeak } : {}),
      ...(used ? { step: { ...used, encodeMilliseconds: median(encoding.get(engine)!) } } : {}),
    };
  };
  const ours = blocks.get(ourName)!;
  const ratio = (peer: string) => {
    const theirs = blocks.get(peer)!;
    if (once.has(peer) || once.has(ourName)) return median(theirs) / median(ours);
    return median(theirs.map((t, round) => t / ours[round]));
  };
  return {
    gflop,
    ours: measured(ourName),
    peers: Object.fromEntries(options.peers.map((p) => [p, measured(p)])),
    ratio: Object.fromEntries(options.peers.map((p) => [p, ratio(p)])),
  };
}
