// The bench end to end on its smallest configuration, without peers: its output, and a step's WebGPU calls.
import { execFile } from "node:child_process";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { isConvolution } from "../../bench/profile.ts";

const at = (file: string) => fileURLToPath(new URL(`../../${file}`, import.meta.url));
const command = [at("scripts/run.mjs"), at("bench/main.ts")]; // of `npm run bench`, without the set-up
const bench = (...options: string[]) => promisify(execFile)(process.execPath, [...command, ...options]);

describe("npm run bench", () => {
  let folder: string;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), "twingrad-bench-"));
  });
  afterAll(() => rm(folder, { recursive: true }));

  test("measures a training step that creates no objects and submits once", async () => {
    const out = join(folder, "deeper", "step.json");
    const { stdout } = await bench("--suite=step", "--config=XS", "--peers=", "--rounds=2", "--json", `--out=${out}`);
    const report = JSON.parse(stdout);
    expect(JSON.parse(await readFile(out, "utf8"))).toEqual(report);
    expect(report.adapter.vendor).toEqual(expect.any(String));
    expect(report.peak.gflops).toBeGreaterThan(0);
    expect(report.peak.gflops).toBe(Math.max(...report.peak.tried.map((t: { gflops: number }) => t.gflops)));
    const [{ name, ours, peers, ratio, gflop }, ...others] = report.results;
    expect(others).toEqual([]);
    expect({ name, peers, ratio }).toEqual({ name: "step XS", peers: {}, ratio: {} });
    expect(ours.blocks).toHaveLength(2);
    expect(ours.milliseconds).toBeGreaterThan(0);
    expect(ours.gflops).toBeCloseTo(gflop / (ours.milliseconds / 1e3), 6);
    expect(ours.shareOfPeak).toBeGreaterThan(0);
    expect(ours.shareOfPeak).toBeLessThan(1);
    expect(ours.step).toMatchObject({ submits: 1, bindGroups: 0, buffers: 0, shaderModules: 0, pipelines: 0 });
    expect(ours.step.dispatches).toBeGreaterThan(20);
    expect(ours.step.dispatches).toBeLessThanOrEqual(48);
    expect(ours.step.peakBytes).toBeGreaterThan(0);
    expect(ours.step.encodeMilliseconds).toBeGreaterThan(0);
    const { gflop: convolved, milliseconds, gflops, shareOfPeak } = ours.convolutions;
    expect(convolved).toBeLessThan(gflop);
    expect(gflops).toBeCloseTo(convolved / (milliseconds / 1e3), 6);
    expect(shareOfPeak).toBeGreaterThan(0);
    const keys = Object.keys(report.tuning.choices);
    expect(keys.some(isConvolution)).toBe(true);
  });

  test("embeds one picture and many, as onnxruntime does with our ONNX, and identifies one", async () => {
    const own = ["--suite=inference", "--size=S", "--rounds=1", "--no-tune", "--json"];
    const { stdout } = await bench(...own, "--peers=onnxruntime,onnxruntime-wasm");
    const [one, many, ...others] = JSON.parse(stdout).results;
    expect(others).toEqual([]);
    expect([one, many].map(({ suite, configuration, count }) => ({ suite, configuration, count }))).toEqual([
      { suite: "inference", configuration: "S", count: 1 },
      { suite: "inference", configuration: "S", count: 32 },
    ]);
    for (const { ours, peers, agreement } of [one, many]) {
      for (const peer of ["onnxruntime", "onnxruntime-wasm"]) expect(agreement[peer].error).toBeLessThan(1e-5);
      expect(peers.onnxruntime.dispatches).toBeGreaterThan(10);
      expect(peers["onnxruntime-wasm"].dispatches).toBe(0);
      expect(ours.dispatches).toBeLessThanOrEqual(10);
      expect(ours.firstMilliseconds).toBeGreaterThan(ours.milliseconds);
    }
    expect(many.ours.milliseconds).toBeGreaterThan(one.ours.milliseconds);
    expect(one.identify).toMatchObject({ gallery: 1000 });
    expect(one.identify.milliseconds).toBeGreaterThan(0);
  }, 300_000);

  test("profiles a step by kernel and by part", async () => {
    const { stdout } = await bench("--suite=profile", "--config=XS", "--rounds=1", "--no-tune", "--json");
    const { results, profiles, starts, ...rest } = JSON.parse(stdout);
    expect({ results, starts }).toEqual({ results: [], starts: [] });
    expect(rest.tuning ?? null).toBeNull();
    const [{ configuration, milliseconds, kernels, parts, convolutions }] = profiles;
    expect(configuration).toBe("XS");
    const sum = (shares: { milliseconds: number }[]) => shares.reduce((total, s) => total + s.milliseconds, 0);
    expect(sum(kernels)).toBeCloseTo(milliseconds, 6);
    expect(sum(parts)).toBeLessThan(milliseconds);
    const convolved = parts.filter(({ name }: { name: string }) => isConvolution(name));
    expect(convolved.length).toBeGreaterThanOrEqual(8); // four layers, forward and back
    expect(sum(convolved)).toBeCloseTo(convolutions.milliseconds, 6);
    for (const { name, gflops, shareOfPeak } of convolved) {
      if (/\.forward /.test(name)) expect(gflops / shareOfPeak).toBeGreaterThan(0);
    }
  });

  test("starts with and without tuning, and a second time without timing anything", async () => {
    const { stdout } = await bench("--suite=start", "--config=XS", "--rounds=1", "--json");
    const [{ configuration, first, tuning, tuned }] = JSON.parse(stdout).starts;
    expect(configuration).toBe("XS");
    for (const { milliseconds, device, compile, step, pipelines, pipelinesWall, pipelinesSum } of [
      first,
      tuning,
      tuned,
    ]) {
      expect(device + compile + step).toBeCloseTo(milliseconds, 3);
      expect(pipelines).toBeGreaterThan(20);
      expect(pipelinesSum).toBeGreaterThan(pipelinesWall); // made beside each other
    }
    expect([first.timed, tuned.timed]).toEqual([0, 0]);
    expect(tuning.timed).toBeGreaterThan(10);
  });

  test("matches a probe against a gallery, as a plain loop does", async () => {
    const { stdout } = await bench("--suite=match", "--rows=3000", "--rounds=2", "--json");
    const { results, adapter } = JSON.parse(stdout);
    expect(adapter.vendor).toEqual(expect.any(String));
    expect(results.map(({ name }: { name: string }) => name)).toEqual(["match euclidean", "match weighted"]);
    for (const { rows, dimensions, k, ours, peers, ratio } of results) {
      expect({ rows, dimensions, k }).toEqual({ rows: 3000, dimensions: 128, k: 10 });
      expect(ours.rounds).toHaveLength(2);
      expect(ours.gigabytesPerSecond).toBeCloseTo((3000 * 128 * 4) / 1e6 / ours.milliseconds, 9);
      expect(ours.galleryBytes).toBe(Math.ceil(3000 / 256) * 256 * 128 * 4);
      expect(ours.peakBytes).toBeGreaterThan(ours.galleryBytes);
      expect(ratio["plain loop"]).toBeGreaterThan(0);
      expect(peers["plain loop"].milliseconds).toBeGreaterThan(0);
    }
  });

  test("filters by labels before decoding, and reports what it skipped", async () => {
    const nowhere = join(folder, "nowhere");
    const { stdout, stderr } = await bench("--suite=pipeline", "--rounds=1", "--json", `--data=${nowhere}`);
    expect(stderr).toContain(`${nowhere}: the folder does not exist`);
    const [{ name, ours, peers, ratio }, ...others] = JSON.parse(stdout).results;
    expect(others).toEqual([]);
    expect(name).toBe("labels before decoding");
    expect(ours.decodesPerPair).toBeLessThanOrEqual(2.5); // two, and what was decoded ahead when time was up
    expect(peers["decode first"].decodesPerPair).toBeGreaterThan(300);
    expect(ratio["decode first"]).toBeGreaterThan(20);
  }, 300_000);

  test("names an unknown option, with status 2", async () => {
    await expect(bench("--config=XXL")).rejects.toMatchObject({ code: 2, stderr: expect.stringContaining("XXL") });
  });
});
