// The time of one probe against a whole gallery on the GPU, and the share of its memory bandwidth.
import type { BenchHost } from "./host.ts";
import { median } from "./median.ts";
import { type MatchSetup, type MatchSize, type MetricName, metrics } from "./page/match.ts";

interface Speed {
  /** Milliseconds of one probe at a time: the median over the rounds. */
  readonly milliseconds: number;
  /** The rows' float32 bytes read in that time. */
  readonly gigabytesPerSecond: number;
}

export interface MatchResult extends MatchSize {
  readonly name: string;
  readonly suite: "match";
  readonly ours: Speed & MatchSetup & { readonly together: Speed; readonly rounds: number[] };
  readonly peers: { readonly "plain loop": Speed & { readonly rounds: number[] } };
  readonly ratio: { readonly "plain loop": number };
}

const dimensions = 128;
const k = 10;
const probesInRound = 3;

export async function measureMatch(
  browser: BenchHost,
  rows: number,
  { rounds, progress }: { rounds: number; progress: (line: string) => void },
): Promise<MatchResult[]> {
  const results: MatchResult[] = [];
  for (const metric of metrics) {
    await browser.reload(); // frees the memory of the other metric's gallery
    progress(`match ${metric}: laying out ${rows.toLocaleString("en-GB")} rows of ${dimensions}`);
    results.push(await measureMetric(browser, metric, { rows, dimensions, k }, rounds));
    await browser.page.closeMatch();
  }
  return results;
}

async function measureMetric(
  browser: BenchHost,
  metric: MetricName,
  size: MatchSize,
  rounds: number,
): Promise<MatchResult> {
  const { page } = browser;
  const setup = await page.openMatch(metric, size);
  await page.checkMatch();
  await page.timeLoop(1); // warms up the loop
  const [ours, together, loop]: number[][] = [[], [], []];
  for (let round = 0; round < rounds; round++) {
    const times = await page.timeMatch(probesInRound);
    ours.push(median(times.milliseconds));
    together.push(times.together);
    loop.push(median(await page.timeLoop(probesInRound)));
  }
  const speed = (times: readonly number[]): Speed => {
    const milliseconds = median(times);
    return { milliseconds, gigabytesPerSecond: (size.rows * size.dimensions * 4) / 1e6 / milliseconds };
  };
  return {
    name: `match ${metric}`,
    suite: "match",
    ...size,
    ours: { ...speed(ours), together: speed(together), rounds: ours, ...setup },
    peers: { "plain loop": { ...speed(loop), rounds: loop } },
    ratio: { "plain loop": median(loop.map((time, round) => time / ours[round])) },
  };
}

export function matchTable(results: readonly MatchResult[]): string {
  const number = (value: number) => value.toLocaleString("en-GB", { maximumSignificantDigits: 3 });
  const speed = ({ milliseconds, gigabytesPerSecond }: Speed) =>
    `${number(milliseconds)} ms (${number(gigabytesPerSecond)} GB/s)`;
  const lines = results.flatMap(({ name, rows, dimensions, k, ours, peers, ratio }) => [
    `${name}: one probe against ${rows.toLocaleString("en-GB")} rows of ${dimensions}, the ${k} nearest: ${speed(ours)}, four in flight ${speed(ours.together)}`,
    `  a plain loop in the same page ${speed(peers["plain loop"])}, ${number(ratio["plain loop"])} times as long`,
    `  ${number(ours.galleryBytes / 1e6)} MB in ${ours.parts} parts, ${number(ours.peakBytes / 1e6)} MB of the GPU's memory at most; ` +
      `filled in ${number(ours.fillMilliseconds)} ms, the first answer after ${number(ours.firstMilliseconds)} ms more`,
  ]);
  return lines.join("\n");
}
