// The short form of `npm run soak`, which takes 5,000 steps in Node and in Chrome.

import { expect, it } from "vitest";
import { heapSlope, mostSlope, soakInChrome, soakInNode } from "./hosts.ts";
import { leaks, segmentsOf } from "./soak.ts";

it.each([
  ["Node", soakInNode],
  ["Chrome", soakInChrome],
])("250 steps in %s keep nothing on the device and little in the heap", async (_, soak) => {
  const measured = await soak(segmentsOf(250));
  expect(measured.at(-1)!.step).toBe(250);
  expect(leaks(measured)).toEqual([]);
  expect(heapSlope(measured)).toBeLessThan(mostSlope(250));
});

it("the heap's slope is the growth per step, despite fluctuations", () => {
  const measured = segmentsOf(2000).map((_, n) => {
    const garbage = n % 7 === 3 ? 50_000 : 0;
    const warming = 100_000 * Math.min(n, 5);
    return { step: 50 * n + 25, buffers: 1, bytes: 1, made: {}, heap: 1e6 + warming + garbage + 16 * (50 * n) };
  });
  expect(heapSlope(measured)).toBeCloseTo(16);
});

it("a leak is reported", () => {
  const segment = { step: 50, buffers: 3, bytes: 300, made: { createBindGroup: 4 } };
  expect(leaks([segment, { ...segment, step: 100, made: {} }])).toEqual([]);
  expect(leaks([segment, { step: 100, buffers: 4, bytes: 400, made: { createBindGroup: 1 } }])).toEqual([
    "at step 100 4 buffers of 400 bytes live, 3 of 300 at step 50",
    "before step 100: 1 times createBindGroup",
  ]);
});
