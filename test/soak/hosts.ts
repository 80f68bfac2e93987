// The soak in Node and in Chrome: segments, and the JavaScript heap after a collection behind each of them.

import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { build } from "esbuild";
import { esbuildPlugin } from "../../shaders/reflect.mjs";
import { launchChrome } from "../../src/node/chrome.ts";
import { openDevice } from "../../src/node/device.ts";
import { type Segment, Soak } from "./soak.ts";

export interface Measured extends Segment {
  /** Bytes of live JavaScript objects. */
  heap: number;
}

export type Told = (measured: Measured) => void;

export async function soakInNode(segments: readonly number[], told: Told = () => {}): Promise<Measured[]> {
  setFlagsFromString("--expose-gc");
  const collect = runInNewContext("gc") as () => void;
  const device = await openDevice();
  const soak = await Soak.open(device);
  const measured: Measured[] = [];
  for (const steps of segments) {
    const segment = await soak.segment(steps);
    collect();
    measured.push({ ...segment, heap: process.memoryUsage().heapUsed });
    told(measured[measured.length - 1]);
  }
  device.dispose();
  return measured;
}

export async function soakInChrome(segments: readonly number[], told: Told = () => {}): Promise<Measured[]> {
  const { outputFiles } = await build({
    entryPoints: ["test/soak/page.ts"], // from the root of the repository: the driver may be a bundle elsewhere
    bundle: true,
    write: false,
    format: "iife",
    plugins: [esbuildPlugin()],
    logLevel: "error",
  });
  const browser = await launchChrome();
  try {
    const page = await browser.newPage();
    await page.setRequestInterception(true);
    page.on("request", (request) => request.respond({ contentType: "text/html", body: "<!doctype html>" }));
    await page.goto("http://localhost/");
    await page.addScriptTag({ content: outputFiles[0].text });
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

/** Growth of the heap from the first to the last quarter of the segments behind the first, by their medians. */
export function heapGrowth(measured: readonly Measured[]): number {
  const heaps = measured.slice(1).map(({ heap }) => heap);
  const quarter = Math.max(1, Math.floor(heaps.length / 4));
  const median = (values: number[]) => values.sort((a, b) => a - b)[Math.floor(values.length / 2)];
  return median(heaps.slice(-quarter)) - median(heaps.slice(0, quarter));
}
