// The installed library in a page, a module worker and a service, built by each bundler without a warning, and in a page
// without one.
import { mkdir, readdir, readFile } from "node:fs/promises";
import path from "node:path";
import type { Browser } from "puppeteer";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { launchChrome } from "../../scripts/chrome/chrome.ts";
import { serve } from "../../scripts/chrome/serve.ts";
import { bundlers } from "./support/bundlers.ts";
import { addPrograms, libraryInNode } from "./support/installed.ts";
import { answer } from "./support/run.ts";

let folder: string;
let browser: Browser;
let expected: number[];

beforeAll(async () => {
  folder = await libraryInNode();
  await addPrograms(folder);
  browser = await launchChrome();
  expected = await answer(folder, "node", "service.js");
}, 300_000);
afterAll(() => browser?.close());

interface Report {
  page: number[];
  worker: number[];
  pixels: number[];
  refused: string;
  error?: string;
}

async function visit(out: string): Promise<Report> {
  const names = await readdir(out, { recursive: true, withFileTypes: true });
  const files = names.filter((entry) => entry.isFile()).map(({ parentPath, name }) => path.join(parentPath, name));
  const contents = await Promise.all(
    files.map(async (file) => [`/${path.relative(out, file)}`, await readFile(file)] as const),
  );
  const served = await serve(new Map(contents));
  const page = await browser.newPage();
  const failed: string[] = [];
  page.on("pageerror", (error) => failed.push(String(error)));
  try {
    await page.goto(served.url);
    const report = () => document.documentElement.dataset.report;
    const found = await page.waitForFunction(report, { timeout: 60_000 }).catch(() => undefined);
    if (!found) throw new Error(`the page reports nothing: ${failed.join("; ")}`);
    return JSON.parse(String(await found.jsonValue()));
  } finally {
    await page.close();
    await served.close();
  }
}

describe.each(Object.entries(bundlers))("%s", (name, bundler) => {
  const out = async (what: string) => {
    const made = path.join(folder, "built", name, what);
    await mkdir(made, { recursive: true });
    return made;
  };

  it("a page and its module worker train, and its pictures are decoded in the library's worker", async () => {
    const made = await out("page");
    await bundler.page(folder, made);
    const { page, worker, pixels, refused, error } = await visit(made);
    expect(error).toBeUndefined();
    console.log(`${name}: losses ${page} in the page and its worker; decoded ${pixels}; refused with ${refused}`);
    expect(page).toHaveLength(3);
    for (const [i, loss] of page.entries()) expect(loss).toBeCloseTo(expected[i], 4);
    expect(worker).toEqual(page);
    expect(pixels).toEqual([200, 100, 50, 200, 100, 50]);
    expect(refused).toBe("CORRUPT_FILE");
  });

  it.skipIf(!bundler.service)("a service trains in Node", async () => {
    const made = await out("service");
    await bundler.service!(folder, made);
    const losses = await answer<number[]>(made, "node", "service.js");
    console.log(`${name}: losses ${losses} in Node`);
    expect(losses).toEqual(expected);
  });
});
