// The bench end to end on its smallest configuration, without peers: its output, and a step's WebGPU calls. The other suites
// are in bench.hosts.test.ts.
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { isConvolution } from "../../bench/profile.ts";
import { bench } from "./command.ts";

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
