// Times embedding one picture and 32 with the same weights on every engine, and our identification from pixels to
// decision.
import { ourName } from "./agree.ts";
import { article } from "./configurations.ts";
import type { BenchHost } from "./host.ts";
import { median } from "./median.ts";
import type { Agreement } from "./page/compare.ts";
import { aligned } from "./report.ts";

interface Speed {
  /** Milliseconds of a call: the median over the rounds. */
  readonly milliseconds: number;
  readonly rounds: readonly number[];
  /** Milliseconds from starting the engine to its first embeddings, on a fresh page: the median of three starts. */
  readonly firstMilliseconds: number;
  /** The WebGPU calls of one call after warmup. */
  readonly dispatches: number;
}

export interface InferenceResult {
  readonly name: string;
  readonly suite: "inference";
  readonly configuration: string;
  /** Pictures in a call. */
  readonly count: number;
  readonly agreement: Readonly<Record<string, Agreement>>;
  /** Milliseconds to our first embeddings at the first start with this workload; includes the tuning, where tuned. */
  readonly firstStartMilliseconds: number;
  readonly ours: Speed;
  readonly peers: Readonly<Record<string, Speed>>;
  /** Median over the rounds of a peer's time divided by ours. */
  readonly ratio: Readonly<Record<string, number>>;
  /** Median milliseconds from one picture's pixels to the decision, with `gallery` people enrolled. */
  readonly identify?: { readonly gallery: number; readonly milliseconds: number };
}

/** Pictures in a call. 32 of the article's take a software adapter minutes. */
const countsOf = (configuration: string) => (configuration === article.name ? [1] : [1, 32]);
/** Starts timed of each engine, after one that is not. */
const starts = 3;
const gallery = 1000;
const identified = 9;
const tolerance = 1e-5;
/** A block has as many calls as take about this long (ms), and at least one. */
const blockLength = 300;

export async function measureInference(
  browser: BenchHost,
  names: readonly string[],
  options: { peers: readonly string[]; rounds: number; progress: (line: string) => void },
): Promise<InferenceResult[]> {
  const results: InferenceResult[] = [];
  for (const configuration of names) {
    for (const count of countsOf(configuration)) {
      options.progress(`inference ${configuration}: ${count} in a call`);
      const result = await measureCall(browser, { configuration, count }, options);
      if (count > 1) results.push(result);
      else {
        await browser.reload();
        const milliseconds = median(await browser.page.timeIdentify(configuration, gallery, identified));
        results.push({ ...result, identify: { gallery, milliseconds } });
      }
    }
  }
  return results;
}

async function measureCall(
  browser: BenchHost,
  workload: { configuration: string; count: number },
  { peers, rounds }: { peers: readonly string[]; rounds: number },
): Promise<InferenceResult> {
  const { page } = browser;
  const engines = [ourName, ...peers];
  const firsts = new Map<string, number[]>(engines.map((engine) => [engine, []]));
  for (let start = 0; start <= starts; start++) {
    for (const engine of engines) {
      await browser.reload(); // no engine's first embedding benefits from another's start
      firsts.get(engine)!.push(await page.openInference(engine, workload));
    }
  }
  await browser.reload();
  for (const engine of engines) await page.openInference(engine, workload);
  const what = `inference ${workload.configuration} x ${workload.count}`;
  const agreement = await page.agreeOnEmbeddings();
  for (const [peer, { error }] of Object.entries(agreement)) {
    if (error <= tolerance) continue;
    throw new Error(
      `${what}: ${peer} differs by ${error.toExponential(1)}, expected at most ${tolerance}. It was not timed.`,
    );
  }
  const repeats = new Map<string, number>();
  const dispatches = new Map<string, number>();
  for (const engine of engines) {
    await page.timeInference(engine, 2);
    await page.usage(engine);
    const milliseconds = await page.timeInference(engine, 1);
    dispatches.set(engine, (await page.usage(engine)).dispatches);
    repeats.set(engine, Math.min(50, Math.max(1, Math.round(blockLength / milliseconds))));
  }
  const times = new Map<string, number[]>(engines.map((engine) => [engine, []]));
  for (let round = 0; round < rounds; round++) {
    for (const engine of engines) {
      const calls = repeats.get(engine)!;
      times.get(engine)!.push((await page.timeInference(engine, calls)) / calls);
    }
  }
  await page.closeInference();
  const speed = (engine: string): Speed => ({
    milliseconds: median(times.get(engine)!),
    rounds: times.get(engine)!,
    firstMilliseconds: median(firsts.get(engine)!.slice(1)), // the first one warms up the browser, and tunes
    dispatches: dispatches.get(engine)!,
  });
  const ratio = (peer: string) => median(times.get(peer)!.map((time, round) => time / times.get(ourName)![round]));
  return {
    name: what,
    suite: "inference",
    ...workload,
    agreement,
    firstStartMilliseconds: firsts.get(ourName)![0],
    ours: speed(ourName),
    peers: Object.fromEntries(peers.map((peer) => [peer, speed(peer)])),
    ratio: Object.fromEntries(peers.map((peer) => [peer, ratio(peer)])),
  };
}

export function inferenceTable(results: readonly InferenceResult[]): string {
  const number = (value: number) => value.toLocaleString("en-GB", { maximumSignificantDigits: 3 });
  const head = ["inference", "ms a call", "ratio", "first ms", "dispatches"];
  const rows = results.flatMap(({ configuration, count, ours, peers, ratio }) =>
    Object.entries({ [ourName]: ours, ...peers }).map(([engine, speed]) => [
      `${configuration} x ${count} ${engine}`,
      number(speed.milliseconds),
      engine === ourName ? "1" : number(ratio[engine]),
      speed.firstMilliseconds.toFixed(0),
      String(speed.dispatches),
    ]),
  );
  const firstStarts = results.map(
    ({ configuration, count, firstStartMilliseconds }) =>
      `${configuration} x ${count}: first embeddings at the first start ${number(firstStartMilliseconds)} ms`,
  );
  const decisions = results.flatMap(({ configuration, identify }) =>
    identify
      ? [
          `${configuration}: from pixels to a decision among ${identify.gallery} identities ${number(identify.milliseconds)} ms`,
        ]
      : [],
  );
  return [aligned([head, ...rows]), ...firstStarts, ...decisions].join("\n");
}
