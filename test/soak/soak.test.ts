// The short form of `npm run soak`, which takes 5,000 steps in Node and in Chrome.

import { expect, it } from "vitest";
import { heapGrowth, soakInChrome, soakInNode } from "./hosts.ts";
import { leaks } from "./soak.ts";

const segments = [50, 50, 50, 50, 50];

it.each([
  ["Node", soakInNode],
  ["Chrome", soakInChrome],
])("250 steps in %s keep nothing on the device and little in the heap", async (_, soak) => {
  const measured = await soak(segments);
  expect(measured.at(-1)!.step).toBe(250);
  expect(leaks(measured)).toEqual([]);
  // Compiled code and what the log of steps holds come and go; a kilobyte kept of each step would show.
  expect(heapGrowth(measured)).toBeLessThan(150_000);
});

it("a leak is told", () => {
  const segment = { step: 50, buffers: 3, bytes: 300, made: { createBindGroup: 4 } };
  expect(leaks([segment, { ...segment, step: 100, made: {} }])).toEqual([]);
  expect(leaks([segment, { step: 100, buffers: 4, bytes: 400, made: { createBindGroup: 1 } }])).toEqual([
    "at step 100 4 buffers of 400 bytes live, 3 of 300 at step 50",
    "before step 100: 1 times createBindGroup",
  ]);
});
