// The GPU time of our step: by kernel, and by choice among candidates.
import type { KernelTime } from "../src/index.ts";
import { operationsOf } from "../src/tape/lowering/partOperations.ts";
import { ourName } from "./agree.ts";
import { type Configuration, configurationNamed } from "./configurations.ts";
import type { BenchHost } from "./host.ts";
import type { Options } from "./measure.ts";
import { median } from "./median.ts";
import { operationCases } from "./operations.ts";

interface Share {
  readonly name: string;
  readonly launches: number;
  readonly milliseconds: number;
  /** Share of the step's GPU time. */
  readonly share: number;
  /**
   * Bound bytes per second; a kernel that reads some of them more than once moves more. Absent below the clock's
   * resolution.
   */
  readonly gigabytesPerSecond?: number;
  /** Share of the adapter's copy bandwidth, if that was measured. */
  readonly shareOfBandwidth?: number;
}

/** The speed of all convolutions of a step; each pass counts as its direct form, whatever algorithm computes it. */
export interface Convolutions {
  readonly gflop: number;
  readonly milliseconds: number;
  readonly gflops: number;
  /** Share of the adapter's multiply-add peak, measured right before. */
  readonly shareOfPeak: number;
}

export interface Profile {
  readonly configuration: string;
  /** Milliseconds of all launches, without the gaps between them. */
  readonly milliseconds: number;
  readonly kernels: readonly Share[];
  /** Launches of one choice among candidates, which may use several kernels. */
  readonly parts: readonly (Share & { readonly gflops?: number; readonly shareOfPeak?: number })[];
  readonly convolutions: Convolutions;
}

type Peak = Options["peak"];

/** Profiles the open step several times, each right after the peak; returns the medians of each launch. */
export async function profileOpenStep(
  page: BenchHost["page"],
  c: Configuration,
  { rounds, peak, bandwidth }: { rounds: number; peak: Peak; bandwidth?: number },
): Promise<Profile> {
  const peaks: number[] = [];
  const profiles: KernelTime[][] = [];
  await page.profile(); // warmup
  for (let round = 0; round < rounds; round++) {
    peaks.push(await page.peakNow(peak));
    profiles.push(await page.profile());
  }
  const launches = profiles[0].map(({ kernel, part, bytes }, i) => {
    return { kernel, part, bytes, milliseconds: median(profiles.map((p) => p[i].nanoseconds)) / 1e6 };
  });
  const total = sum(launches.map((l) => l.milliseconds));
  const peakNow = median(peaks);
  const shares = (nameOf: (launch: (typeof launches)[number]) => string | undefined): Share[] => {
    const names = [...new Set(launches.map(nameOf))].filter((name) => name !== undefined);
    const all = names.map((name) => {
      const own = launches.filter((l) => nameOf(l) === name);
      const time = sum(own.map((l) => l.milliseconds));
      const gigabytesPerSecond = time > 0 ? sum(own.map((l) => l.bytes)) / time / 1e6 : undefined;
      return {
        name,
        launches: own.length,
        milliseconds: time,
        share: time / total,
        ...(gigabytesPerSecond !== undefined && { gigabytesPerSecond }),
        ...(bandwidth && gigabytesPerSecond !== undefined && { shareOfBandwidth: gigabytesPerSecond / bandwidth }),
      };
    });
    return all.sort((a, b) => b.milliseconds - a.milliseconds);
  };
  const parts = shares(({ part }) => part).map((share) => {
    const operations = operationsOf(share.name);
    if (operations === undefined) return share;
    const gflops = operations / share.milliseconds / 1e6;
    return { ...share, gflops, shareOfPeak: gflops / peakNow };
  });
  return {
    configuration: c.name,
    milliseconds: total,
    kernels: shares(({ kernel }) => kernel),
    parts,
    convolutions: convolutionsOf(
      c,
      sum(launches.map((l) => (isConvolution(l.part) ? l.milliseconds : 0))),
      profiles,
      peaks,
    ),
  };
}

/** Opens the step of each configuration and profiles it. */
export async function profileSteps(browser: BenchHost, names: readonly string[], options: Options): Promise<Profile[]> {
  const { page } = browser;
  const profiles: Profile[] = [];
  for (const name of names) {
    options.progress(`profile ${name}`);
    await browser.reload();
    await page.open(ourName, { configuration: name });
    await page.run(ourName, 2);
    profiles.push(await profileOpenStep(page, configurationNamed(name), options));
    await page.close();
  }
  return profiles;
}

const sum = (values: readonly number[]) => values.reduce((a, b) => a + b, 0);

/** A convolution by itself or fused into a block; the whole block then counts as a convolution. */
export const isConvolution = (part: string | undefined): boolean => /^(conv2d|block)\./.test(part ?? "");

function convolutionsOf(
  c: Configuration,
  milliseconds: number,
  profiles: readonly KernelTime[][],
  peaks: readonly number[],
): Convolutions {
  const gflop = sum(operationCases(c).map((o) => (o.kind === "conv2d" ? o.operations : 0))) / 1e9;
  const times = profiles.map((p) => sum(p.map((t) => (isConvolution(t.part) ? t.nanoseconds : 0))) / 1e6);
  if (milliseconds === 0) throw new Error(`No launch of step ${c.name} is marked as a part of a convolution.`);
  return {
    gflop,
    milliseconds,
    gflops: gflop / (milliseconds / 1e3),
    shareOfPeak: median(times.map((ms, round) => gflop / (ms / 1e3) / peaks[round])),
  };
}
