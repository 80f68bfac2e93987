// Tuning in a page: the table is stored in IndexedDB, so that a reloaded page times nothing; invalid content is
// ignored.
import { join } from "node:path";
import type { Page } from "puppeteer";
import { afterAll, beforeAll, expect, test } from "vitest";
import { pageScript } from "../bundle.ts";
import { localPage } from "./localPage.ts";

let page: Page;
let script: string;

beforeAll(async () => {
  script = await pageScript(join(import.meta.dirname, "tuningPage.ts"));
  page = await localPage();
});
afterAll(() => page?.browser().close());

async function start() {
  await page.goto("http://localhost/"); // each time anew: nothing but the database is left of the last start
  await page.addScriptTag({ content: script });
  return page.evaluate(() => globalThis.tuning.start());
}

test("a reloaded page times nothing and chooses the same", async () => {
  const first = await start();
  expect(first.timed).toBeGreaterThan(4);
  expect(first.warnings).toEqual([]);
  const second = await start();
  expect(second).toEqual({ ...first, timed: 0 });

  const { key } = first;
  await page.evaluate((key) => globalThis.tuning.spoil(key, { format: 1, choices: "none" }), key);
  const third = await start();
  expect(third.timed).toBe(first.timed);
  expect(third.warnings).toEqual([expect.stringMatching(/could not be read: Invalid tuning table: adapter/)]);
  expect((await start()).timed).toBe(0);
});
