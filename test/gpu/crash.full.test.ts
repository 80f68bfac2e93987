// The browser's GPU process is killed in the middle of a step: training continues with the same losses.

import type { Browser, CDPSession, Page } from "puppeteer";
import { afterAll, beforeAll, expect, it } from "vitest";
import { launchChrome } from "../../scripts/chrome/chrome.ts";
import { bundle } from "./hosts/bundle.ts";

let browser: Browser;
let page: Page;
let killed = 0;

/** The kinds and ids of all the browser's processes. */
async function gpuProcess(cdp: CDPSession): Promise<number | undefined> {
  const { processInfo } = await cdp.send("SystemInfo.getProcessInfo");
  return processInfo.find(({ type }) => type === "GPU")?.id;
}

beforeAll(async () => {
  browser = await launchChrome();
  page = await browser.newPage();
  const cdp = await browser.target().createCDPSession();
  await page.setRequestInterception(true);
  page.on("request", (request) => request.respond({ contentType: "text/html", body: "<!doctype html>" }));
  await page.goto("http://localhost/");
  await page.exposeFunction("crashGpuProcess", async () => {
    const before = await gpuProcess(cdp);
    await cdp.send("Browser.crashGpuProcess").catch(() => {}); // its answer may go down with the process
    for (let waited = 0; before !== undefined && (await gpuProcess(cdp)) === before; waited += 20) {
      if (waited > 10_000) throw new Error(`the GPU process ${before} still runs`);
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    killed++;
  });
  await page.addScriptTag({ content: await bundle("crash") });
});
afterAll(() => browser?.close());

const train = (crashAt: number[], recover: boolean) =>
  page.evaluate((crashAt, recover) => globalThis.train(crashAt, recover), crashAt, recover);

it("continues with the same losses if the GPU process is killed in the middle of a step", async () => {
  const calm = await train([], true);
  expect(calm).toMatchObject({ recovered: [], underWay: [] });
  expect(calm.losses).toHaveLength(16);
  const stormy = await train([9], true);
  expect(killed).toBe(1);
  expect(stormy.failure).toBeUndefined();
  expect(stormy.underWay[0]).toBeGreaterThan(0);
  expect(stormy.losses).toEqual(calm.losses);
  expect(stormy.recovered).toMatchObject([{ exact: true, reason: expect.stringMatching(/./) }]);
  const [{ from, to, reason }] = stormy.recovered;
  console.log(
    `killed with ${stormy.underWay[0]} steps in flight: ${reason}; back at step ${from}, again to step ${to}`,
  );
});

it("rejects steps in flight with the reason if recovery is off", async () => {
  const { underWay, failure } = await train([6], false);
  expect(killed).toBe(2);
  expect(underWay[0]).toBeGreaterThan(0);
  expect(failure).toMatchObject({ code: "DEVICE_LOST" });
  expect(failure?.message).toMatch(
    /^The GPU device was lost: .+\. Open a device again and load the last saved state\.$/,
  );
  console.log(failure?.message);
});
