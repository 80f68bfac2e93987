// The soak in Node and in Chrome: segments, and the JavaScript heap after a garbage collection at the end of each.

import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { launchChrome } from "../../scripts/chrome/chrome.ts";
import { openDevice } from "../../src/node/adapter/device.ts";
import { pageScript } from "../bundle.ts";
import { type Segment, Soak } from "./soak.ts";

export interface Measured extends Segment {
  /** Bytes of live JavaScript objects. */
  heap: number;
}

/**
 * V8 without its compilers, and with bytecode kept: code, which comes and goes now and then for thousands of steps, is all
 * that grows with them, and would hide the few bytes that a leak keeps of each step.
 */
const v8 = ["--no-sparkplug", "--no-maglev", "--no-opt", "--no-flush-bytecode"];

export type Told = (measured: Measured) => void;

export async function soakInNode(segments: readonly number[], told: Told = () => {}): Promise<Measured[]> {
  for (const flag of ["--expose-gc", ...v8]) setFlagsFromString(flag);
  const collect = runInNewContext("gc") as () => void;
  const device = await openDevice();
  const soak = await Soak.open(device);
  // Made beforehand: what is noted here lies in the same heap, four hundred bytes of each segment.
  const nothing = {};
  const measured: Measured[] = segments.map(() => ({ step: 0, buffers: 0, bytes: 0, made: nothing, heap: 0 }));
  for (const [n, steps] of segments.entries()) {
    const { made, ...segment } = await soak.segment(steps);
    Object.assign(measured[n], segment);
    if (Object.keys(made).length > 0) measured[n].made = made;
    collect();
    measured[n].heap = process.memoryUsage().heapUsed;
    told(measured[n]);
  }
  device.dispose();
  return measured;
}

export async function soakInChrome(segments: readonly number[], told: Told = () => {}): Promise<Measured[]> {
  const script = await pageScript("test/soak/page.ts"); // from the root of the repository: this may be a bundle elsewhere
  const browser = await launchChrome({ args: [`--js-flags=${v8.join(" ")}`] });
  try {
    const page = await browser.newPage();
    await page.setRequestInterception(true);
    page.on("request", (request) => request.respond({ contentType: "text/html", body: "<!doctype html>" }));
    await page.goto("http://localhost/");
    await page.addScriptTag({ content: script });
    const cdp = await page.createCDPSession();
    const measured: Measured[] = [];
    for (const steps of segments) {
      const segment = await page.evaluate((steps) => globalThis.segment(steps), steps);
      await cdp.send("HeapProfiler.collectGarbage");
      const { usedSize } = await cdp.send("Runtime.getHeapUsage");
      measured.push({ ...segment, heap: usedSize });
      told(measured[measured.length - 1]);
    }
    return measured;
  } finally {
    await browser.close();
  }
}

/**
 * The most that `heapSlope` may be: forty kilobytes of V8's caches that come late, and an object's header for each step, of
 * which a leak would keep more.
 */
export const mostSlope = (steps: number) => 4 + 40_000 / steps;

/**
 * Bytes of heap that a step keeps: the median of the slopes between any two of the last four fifths of the measurements
 * (Theil 1950, Sen 1968), which single high or low ones do not move. What V8 caches while code is new comes in the first
 * fifth.
 */
export function heapSlope(measured: readonly Measured[]): number {
  const warm = measured.slice(Math.ceil(measured.length / 5));
  const slopes = warm.flatMap((a, i) => warm.slice(i + 1).map((b) => (b.heap - a.heap) / (b.step - a.step)));
  return slopes.sort((a, b) => a - b)[Math.floor(slopes.length / 2)];
}
