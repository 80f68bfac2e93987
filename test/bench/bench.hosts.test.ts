// The bench's slower suites end to end, on the smallest sizes.
import { describe, expect, test } from "vitest";
import { isConvolution } from "../../bench/profile.ts";
import { bench } from "./command.ts";

describe("npm run bench", () => {
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
});
