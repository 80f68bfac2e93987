// The comparison before every timing must detect incorrect results.
import { describe, expect, test } from "vitest";
import { configurationNamed, operationsOfStep } from "../../bench/configurations.ts";
import type { BenchHost } from "../../bench/host.ts";
import { median } from "../../bench/median.ts";
import { compare } from "../../bench/page/compare.ts";
import { profileOpenStep } from "../../bench/profile.ts";
import { profileTable } from "../../bench/report.ts";
import { operationsOf } from "../../src/tape/lowering/partOperations.ts";

const results = (entries: Record<string, number[]>) =>
  new Map(Object.entries(entries).map(([name, values]) => [name, Float32Array.from(values)]));

describe("compare", () => {
  const reference = results({ loss: [2], "a/norm/beta": [0.5, 1], "a/conv/kernel": [1, -4], "a/conv/bias": [1e-9, 0] });

  test("takes the largest difference over the largest value of its tensor", () => {
    const other = new Map(reference).set("a/conv/kernel", Float32Array.of(1.5, -4));
    expect(compare(other, reference)).toMatchObject({ worst: "a/conv/kernel", error: 0.125, loss: 0, compared: 4 });
  });

  test("holds the rounding in a convolution's bias against its kernel", () => {
    const other = new Map(reference).set("a/conv/bias", Float32Array.of(-3e-9, 0));
    expect(compare(other, reference).error).toBeLessThan(1e-8);
  });

  test.each([
    ["NaN", Float32Array.of(Number.NaN, 1)],
    ["another length", Float32Array.of(0.5)],
    ["nothing", undefined],
  ])("finds %s", (_, values) => {
    const other = new Map(reference);
    if (values) other.set("a/norm/beta", values);
    else other.delete("a/norm/beta");
    const { worst, error } = compare(other, reference);
    expect(worst).toBe("a/norm/beta");
    expect(error).toBe(Number.POSITIVE_INFINITY);
  });
});

test("median", () => {
  expect(median([9, 1, 5])).toBe(5);
  expect(median([9, 1, 5, 7])).toBe(6);
});

// Both by hand: 2 B O H' W' (U V I), and 2 x rows x inputs x outputs of each product in the batch.
test("operations of a part of a step", () => {
  const convolution = "conv2d.forward batch=8 channels=3 filters=64 y=56,28,3,2,1 x=60,30,5,2,1";
  expect(operationsOf(convolution)).toBe(2 * 8 * 64 * 28 * 30 * (3 * 5 * 3));
  expect(operationsOf("product.kernelGradient batch=16 rows=784 inputs=32 outputs=64")).toBe(2 * 16 * 784 * 32 * 64);
  expect(operationsOf("block.forward images=8 x=28,28,64 filters=32 dtype=0")).toBe(2 * 8 * 28 * 28 * 9 * 64 * 32);
  for (const other of ["relu size=5", "product rows=3", "conv2d.forward batch=8 channels=3 filters=64 y=56,28,3,2,1"]) {
    expect(operationsOf(other)).toBeUndefined();
  }
});

test("a kernel shorter than the clock's resolution has no bandwidth", async () => {
  const times = [
    { kernel: "conv2d.forward", part: "conv2d.forward batch=8", nanoseconds: 1e6, bytes: 5e5 },
    { kernel: "add.forward", nanoseconds: 0, bytes: 16 },
  ];
  const page = { profile: async () => times, peakNow: async () => 10 } as unknown as BenchHost["page"];
  const peak = {} as Parameters<typeof profileOpenStep>[2]["peak"];
  const profile = await profileOpenStep(page, configurationNamed("S"), { rounds: 1, peak, bandwidth: 2 });
  expect(profile.kernels).toMatchObject([
    { name: "conv2d.forward", gigabytesPerSecond: 0.5, shareOfBandwidth: 0.25 },
    { name: "add.forward" },
  ]);
  expect(Object.keys(profile.kernels[1])).toEqual(["name", "launches", "milliseconds", "share"]);
  expect(profileTable(profile)).not.toMatch(/Infinity|NaN|∞/);
});

// Counted by hand: 2 x 3 x (2 B) x (9 H W I O of each layer + features x embedding).
test("operations of a step", () => {
  const layers = 28 * 28 * 9 * 32 + 14 * 14 * 9 * 32 * 32 + 7 * 7 * 9 * 32 * 64 + 3 * 3 * 9 * 64 * 64;
  expect(operationsOfStep(configurationNamed("S"))).toBe(2 * 3 * 16 * (layers + 64 * 1024));
});
