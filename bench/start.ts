// Measures how long a new visitor waits: from `openDevice` to the first finished step, in a browser with an empty
// profile.
import type { BenchHost } from "./host.ts";
import { median } from "./median.ts";
import type { Start } from "./page/start.ts";

/** The run with the median time of each kind. */
export interface Starts {
  readonly configuration: string;
  /** The first start of a browser with an empty profile, kernels chosen by rule. */
  readonly first: Start;
  /** The first start that times kernels, and the next one, which uses its table. */
  readonly tuning: Start;
  readonly tuned: Start;
  readonly rounds: number;
}

export async function measureStarts(
  open: (options: { readonly tuned: boolean }) => Promise<BenchHost>,
  names: readonly string[],
  { rounds, progress }: { rounds: number; progress: (line: string) => void },
): Promise<Starts[]> {
  const results: Starts[] = [];
  for (const configuration of names) {
    const runs: { first: Start; tuning: Start; tuned: Start }[] = [];
    for (let round = 0; round < rounds; round++) {
      const inOneBrowser = async (tuned: boolean, times: number): Promise<Start[]> => {
        const browser = await open({ tuned }); // with its own profile and an empty cache
        try {
          const starts: Start[] = [];
          for (let i = 0; i < times; i++) {
            await browser.reload();
            starts.push(await browser.page.start(configuration));
          }
          return starts;
        } finally {
          await browser.close();
        }
      };
      const [first] = await inOneBrowser(false, 1);
      const [tuning, tuned] = await inOneBrowser(true, 2);
      if (tuned.timed > 0) throw new Error(`The second start timed ${tuned.timed} kernels; expected none.`);
      runs.push({ first, tuning, tuned });
      progress(`start ${configuration}: round ${round + 1} of ${rounds}`);
    }
    const typical = (starts: Start[]): Start => {
      const middle = median(starts.map((s) => s.milliseconds));
      const distance = (s: Start) => Math.abs(s.milliseconds - middle);
      return starts.reduce((a, b) => (distance(b) < distance(a) ? b : a));
    };
    results.push({
      configuration,
      first: typical(runs.map((r) => r.first)),
      tuning: typical(runs.map((r) => r.tuning)),
      tuned: typical(runs.map((r) => r.tuned)),
      rounds,
    });
  }
  return results;
}
