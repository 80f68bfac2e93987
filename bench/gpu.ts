// All checks and measurements for a machine with a GPU, on Dawn in Node, in at most 8 minutes: first correctness, then
// speed. It also completes on a software adapter, with smaller sizes, which it chooses by the measured speed.
import { mkdir, writeFile } from "node:fs/promises";
import { cpus } from "node:os";
import { dirname } from "node:path";
import { Command } from "commander";
import { type Configuration, configurationNamed, operationsOfStep } from "./configurations.ts";
import { type BenchHost, type Calls, repositoryRoot } from "./host.ts";
import { measureSteps, type Result } from "./measure.ts";
import { median } from "./median.ts";
import type { ArticleForm, GpuPage } from "./node/gpu.ts";
import { BenchProcess } from "./process.ts";
import { type Profile, profileSteps } from "./profile.ts";
import { aligned, profileTable, stepTable } from "./report.ts";

const options = new Command("gpu")
  .description("Checks and measures everything on this machine's GPU, without a browser, in at most 8 minutes.")
  .option("--out <file>", "write the result as JSON")
  .option("--minutes <number>", "time for all of it", Number, 8)
  .parse()
  .opts<{ out?: string; minutes: number }>();

const begun = performance.now();
/** Milliseconds left of this share of the time; the rest is for later parts. */
const leftUntil = (share: number) => Math.max(0, share * options.minutes * 60_000 - (performance.now() - begun));
const progress = (line: string) => {
  process.stderr.write(`${((performance.now() - begun) / 1000).toFixed(0).padStart(4)} s  ${line}\n`);
};

/** Share of the time left for timing the kernels of one program; untimed kernels are chosen by rule. */
const shareForTuning = 0.05;
/** Time that a configuration takes, from its first step to its profile, in steps. */
const stepsToMeasure = 30;

type Page = { [K in keyof GpuPage]: (...rest: Parameters<GpuPage[K]>) => Promise<Awaited<ReturnType<GpuPage[K]>>> };

const article: Configuration = { ...configurationNamed("L"), name: "article", image: [224, 224, 3] };
const forms: readonly ArticleForm[] = [
  { storage: "float32", recompute: false },
  { storage: "float16", recompute: true },
];

/** The results so far; written after each part, so that a hanging driver loses only the rest. */
const report: Record<string, unknown> = {
  date: new Date().toISOString(),
  machine: { platform: process.platform, processor: cpus()[0]?.model ?? "unknown", cores: cpus().length },
  versions: { node: process.version },
};

async function keep(part: string, value: unknown): Promise<void> {
  report[part] = value;
  report.seconds = (performance.now() - begun) / 1000;
  if (!options.out) return;
  await mkdir(dirname(options.out), { recursive: true });
  await writeFile(options.out, `${JSON.stringify(report, null, 2)}\n`);
}

const print = (table: string) => process.stdout.write(`\n${table}\n`);

/**
 * The article's pictures with as many pairs, a power of two, as leave time for four steps; smaller pictures if one pair
 * is too slow.
 */
function sizeWithin(milliseconds: number, gflops: number): { pairs: number; side: number } {
  const fits = (pairs: number, side: number) =>
    (4 * operationsOfStep({ ...article, pairs, image: [side, side, 3] })) / gflops / 1e6 < milliseconds;
  for (const side of [224, 112]) {
    for (let pairs = 128; pairs >= 1; pairs /= 2) if (fits(pairs, side)) return { pairs, side };
  }
  return { pairs: 1, side: 56 };
}

/** Stops in the middle of a measurement: earlier results have been written. */
function endInTime(host: BenchProcess): NodeJS.Timeout {
  return setTimeout(async () => {
    progress("out of time; the rest was not measured");
    await keep("unfinished", true);
    await host.close();
    process.exit(1);
  }, options.minutes * 60_000);
}

async function main(): Promise<void> {
  const bench = await BenchProcess.open(repositoryRoot, { entry: "bench/node/gpu.ts" });
  const limit = endInTime(bench);
  const page = bench.page as Calls & Page;
  const host: BenchHost = {
    page,
    versions: () => bench.versions(),
    close: () => bench.close(),
    async reload() {
      await bench.reload();
      await page.limitTuning(leftUntil(1) * shareForTuning);
    },
  };
  try {
    await host.reload();
    const adapter = await page.described();
    await keep("adapter", adapter);
    progress(`${adapter.vendor} ${adapter.architecture} ${adapter.description}; ${adapter.features.join(", ")}`);

    progress("kernels against their float64 references");
    const correctness = await page.correctness(leftUntil(0.2));
    await keep("correctness", correctness);
    const { passed, failed, left, worst } = correctness;
    const largest = worst ? `; largest error ${worst.relative.toExponential(1)} (${worst.what})` : "";
    progress(`${passed} passed, ${failed.length} failed, ${left} skipped for lack of time${largest}`);
    for (const { name, reason } of failed) progress(`FAILED ${name}: ${reason}`);

    await host.reload();
    const peak = await page.peak();
    const bandwidth = await page.bandwidth();
    await keep("peak", peak);
    await keep("bandwidth", bandwidth);
    progress(`${peak.gflops.toFixed(1)} GFLOP/s, ${bandwidth.gigabytesPerSecond.toFixed(1)} GB/s`);

    const steps: Result[] = [];
    const profiles: Profile[] = [];
    const timestamps = adapter.features.includes("timestamp-query");
    const measuring = { peers: [], rounds: 3, peak, bandwidth: bandwidth.gigabytesPerSecond, timestamps, progress };
    const time = (name: string) => {
      // A small step is mostly launches: a larger one reaches more of the peak.
      const speed = Math.max(steps.at(-1)?.ours.gflops ?? 0, 0.05 * peak.gflops);
      return (stepsToMeasure * operationsOfStep(configurationNamed(name))) / speed / 1e6;
    };
    for (const [name, share] of [
      ["XS", 0.3],
      ["S", 0.35],
      ["M", 0.5],
      ["L", 0.7],
    ] as const) {
      if (name === "XS" && time("S") < leftUntil(share)) continue; // only where S is too large
      if (time(name) > leftUntil(share)) {
        progress(`${name}: skipped, since it would take ${(time(name) / 1000).toFixed(0)} s`);
        continue;
      }
      const settle = leftUntil(share) / 8;
      steps.push(...(await measureSteps(host, [name], { ...measuring, timestamps: false, settle })));
      await keep("steps", steps);
      if (timestamps && leftUntil(share) > 0) profiles.push(...(await profileSteps(host, [name], measuring)));
      await keep("profiles", profiles);
    }
    if (steps.length > 0) print(stepTable(steps));
    for (const profile of profiles) print(profileTable(profile));

    const last = steps.at(-1);
    const gflops = last?.ours.gflops ?? 0.01 * peak.gflops;
    const articles = [];
    for (const [n, form] of forms.entries()) {
      const milliseconds = leftUntil(0.8 + 0.08 * (n + 1)) / 2;
      const { pairs, side } = sizeWithin(milliseconds, gflops);
      await host.reload();
      try {
        const step = await page.article(pairs, side, form, milliseconds);
        const middle = median(step.milliseconds);
        articles.push({
          pairs,
          side,
          ...form,
          ...step,
          median: middle,
          gflops: operationsOfStep({ ...article, pairs, image: [side, side, 3] }) / middle / 1e6,
        });
      } catch (error) {
        articles.push({ pairs, side, ...form, error: error instanceof Error ? error.message : String(error) });
      }
      await keep("article", articles);
    }
    print(
      aligned([
        ["article", "picture", "pairs", "recompute", "GB", "dispatches", "compile s", "step ms", "GFLOP/s", "of peak"],
        ...articles.map((a) =>
          "error" in a
            ? [a.storage, String(a.side), String(a.pairs), String(a.recompute), a.error, "", "", "", "", ""]
            : [
                a.storage,
                String(a.side),
                String(a.pairs),
                String(a.recompute),
                (a.bytes / 1e9).toFixed(2),
                String(a.dispatches),
                (a.compileMilliseconds / 1000).toFixed(1),
                a.median.toFixed(0),
                a.gflops.toFixed(1),
                `${((100 * a.gflops) / peak.gflops).toFixed(1)}%`,
              ],
        ),
      ]),
    );

    await host.reload();
    const names = leftUntil(0.97) > 20_000 ? ["S", "M"] : ["S"];
    const choices = [];
    for (const configuration of names) {
      const byRule = new Map((await page.choices(configuration, false)).map(({ key, taken }) => [key, taken]));
      for (const choice of await page.choices(configuration, true)) {
        choices.push({ configuration, ...choice, byRule: byRule.get(choice.key) });
      }
    }
    await keep("choices", choices);
    const different = choices.filter(({ taken, byRule }) => byRule !== undefined && taken !== byRule);
    print(
      aligned([
        [`${different.length} of ${choices.length} choices differ from the rules`, "timed", "by rule"],
        ...different.map(({ configuration, key, taken, byRule }) => [`${configuration} ${key}`, taken, byRule!]),
      ]),
    );
    for (const { configuration, key, refused = {} } of choices) {
      for (const [kernel, why] of Object.entries(refused))
        progress(`NEVER TAKEN ${configuration} ${key}: ${kernel}: ${why}`);
    }
    progress(`done${options.out ? `: ${options.out}` : ""}`);
    if (failed.length > 0) process.exitCode = 1;
  } finally {
    clearTimeout(limit);
    await host.close();
  }
}

main().catch((error: unknown) => {
  progress(`gpu: ${error instanceof Error ? error.message : error}`);
  process.exitCode = 1;
});
