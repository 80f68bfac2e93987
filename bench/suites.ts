// Runs the suites on a host, each on a fresh page or process.
import { readFile } from "node:fs/promises";
import { BenchBrowser } from "./browser.ts";
import { type HostName, repositoryRoot } from "./host.ts";
import { inferenceTable, measureInference } from "./inference.ts";
import { matchTable, measureMatch } from "./match.ts";
import { measureKernels, measureSteps } from "./measure.ts";
import { BenchProcess } from "./process.ts";
import { profileSteps } from "./profile.ts";
import { kernelTable, profileTable, startTable, stepTable } from "./report.ts";
import { measureStarts } from "./start.ts";

export const hostSuites = ["step", "kernels", "profile", "start", "match", "inference"] as const;
/** Peers for inference only, which take part in that suite alone. */
const embedders: ReadonlySet<string> = new Set(["onnxruntime", "onnxruntime-wasm"]);

type Suite = (typeof hostSuites)[number];

interface Options {
  readonly host: HostName;
  readonly config: readonly string[];
  readonly peers: readonly string[];
  readonly only?: string;
  /** Whether our kernels are chosen by timing; else by rule. */
  readonly tune: boolean;
  readonly rounds: number;
  /** The towers of the inference suite. */
  readonly size: readonly string[];
  /** The number of rows in the searched gallery. */
  readonly rows: number;
  /** The npm package of each peer. */
  readonly packages: Readonly<Record<string, string>>;
  readonly progress: (line: string) => void;
}

export async function measureOnHost(suites: readonly Suite[], options: Options) {
  const { config, only, rounds, rows, packages, progress } = options;
  const { open } = { chrome: BenchBrowser, node: BenchProcess }[options.host];
  const browser = await open(repositoryRoot, { tuned: options.tune });
  try {
    await browser.reload();
    const absent: Record<string, string> = {};
    const wanted = options.peers.filter((peer) => suites.includes("inference") || !embedders.has(peer));
    for (const peer of wanted) {
      const why = await browser.page.absent(peer);
      if (why) {
        absent[peer] = why;
        progress(`${peer} cannot run here: ${why}`);
        await browser.reload();
      }
    }
    const present = wanted.filter((peer) => !(peer in absent));
    const peers = present.filter((peer) => !embedders.has(peer));
    await browser.reload();
    const { timestamps, ...adapter } = await browser.page.adapter();
    progress(`${adapter.vendor} ${adapter.architecture} ${adapter.description}`);
    if (!timestamps && suites.length === 1 && suites[0] === "profile") {
      throw new Error("This adapter has no timestamps to profile with.");
    }
    const versions = await browser.versions();
    for (const peer of present) {
      const file = `${repositoryRoot}/node_modules/${packages[peer]}/package.json`;
      versions[peer] = JSON.parse(await readFile(file, "utf8")).version;
    }
    const starts = suites.includes("start")
      ? await measureStarts((given) => open(repositoryRoot, given), config, { rounds, progress })
      : [];
    const matches = suites.includes("match") ? await measureMatch(browser, rows, { rounds, progress }) : [];
    const embeddings = suites.includes("inference")
      ? await measureInference(browser, options.size, { peers: present, rounds, progress })
      : [];
    const others = [
      ...(embeddings.length > 0 ? [inferenceTable(embeddings)] : []),
      ...(starts.length > 0 ? [startTable(starts)] : []),
      ...(matches.length > 0 ? [matchTable(matches)] : []),
    ];
    if (suites.every((suite) => ["start", "match", "inference"].includes(suite))) {
      return { adapter, versions, absent, results: [...matches, ...embeddings], starts, tables: others };
    }
    if (matches.length + embeddings.length > 0) await browser.reload();

    progress("measuring the multiply-add peak");
    const peak = await browser.page.peak();
    progress(`${peak.gflops.toFixed(1)} GFLOP/s with ${peak.accumulators} vec4f accumulators (${peak.form})`);
    const measuring = { peers, only, rounds, peak, timestamps, progress };
    const steps = suites.includes("step") ? await measureSteps(browser, config, measuring) : [];
    const kernels = suites.includes("kernels") ? await measureKernels(browser, config, measuring) : [];
    const profiles = suites.includes("profile") && timestamps ? await profileSteps(browser, config, measuring) : [];
    const tables = [
      ...(steps.length > 0 ? [stepTable(steps)] : []),
      ...(kernels.length > 0 ? [kernelTable(kernels, peers)] : []),
      ...profiles.map(profileTable),
      ...others,
    ];
    // The chosen kernels; absent if they were chosen by rule.
    const tuning = await browser.page.tuning();
    return {
      adapter,
      peak,
      tuning,
      versions,
      absent,
      results: [...steps, ...kernels, ...matches, ...embeddings],
      profiles,
      starts,
      tables,
    };
  } finally {
    await browser.close();
  }
}
