// The Chrome of the tests and the server of its pages, together: a page on it has WebGPU and a fine clock.
import type { Browser } from "puppeteer";
import { afterAll, beforeAll, expect, test } from "vitest";
import { launchChrome } from "../../scripts/chrome/chrome.ts";
import { type Served, serve } from "../../scripts/chrome/serve.ts";
import { chromeArguments } from "../../scripts/chrome/startChrome.mjs";

const files = new Map<string, string | Uint8Array>([
  ["/index.html", '<!doctype html><script type="module" src="/app.js"></script>'],
  ["/app.js", "document.title = 'loaded';"],
  ["/data.bin", new Uint8Array([7, 8, 9])],
]);
let browser: Browser;
let served: Served;

beforeAll(async () => {
  [browser, served] = await Promise.all([launchChrome(), serve(files)]);
});
afterAll(async () => {
  await browser?.close();
  await served?.close();
});

test("a served page is isolated, runs its modules and opens a WebGPU device", async () => {
  const page = await browser.newPage();
  await page.goto(served.url);
  await page.waitForFunction(() => document.title === "loaded");
  const found = await page.evaluate(async () => {
    const adapter = await navigator.gpu.requestAdapter();
    const device = await adapter?.requestDevice();
    const bytes = await (await fetch("/data.bin")).arrayBuffer();
    return { isolated: crossOriginIsolated, device: device !== undefined, bytes: [...new Uint8Array(bytes)] };
  });
  expect(found).toEqual({ isolated: true, device: true, bytes: [7, 8, 9] });
  await page.close();
});

test("serves with the content's type, what is added later too, and says what is not there", async () => {
  const missing = await fetch(`${served.url}/later.json`);
  expect([missing.status, await missing.text()]).toEqual([404, "no /later.json here\n"]);
  files.set("/later.json", '{"a": 1}');
  const later = await fetch(`${served.url}/later.json`);
  expect(later.headers.get("content-type")).toBe("application/json");
  expect(await later.json()).toEqual({ a: 1 });
});

test("Chrome is told to compute on the CPU only when asked to", () => {
  expect(chromeArguments("linux", "software")).toContain("--use-webgpu-adapter=swiftshader");
  for (const platform of ["linux", "darwin", "win32"]) {
    expect(chromeArguments(platform, "gpu")).not.toContain("--use-webgpu-adapter=swiftshader");
    expect(chromeArguments(platform, "gpu")).toContain("--enable-unsafe-webgpu");
  }
});
