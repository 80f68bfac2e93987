// The suites in a page of headless Chrome.

import { launchChrome } from "../../../scripts/chrome/chrome.ts";
import { bundle } from "./bundle.ts";
import type { OpenHost } from "./host.ts";

let text: Promise<string> | undefined;

export const openChrome: OpenHost = async (start) => {
  text ??= bundle("page");
  const browser = await launchChrome();
  try {
    const page = await browser.newPage();
    // http://localhost is a secure context, which WebGPU needs; the answer comes from here, nothing has to listen.
    await page.setRequestInterception(true);
    page.on("request", (request) => request.respond({ contentType: "text/html", body: "<!doctype html>" }));
    await page.goto("http://localhost/");
    await page.addScriptTag({ content: await text });
    const adapter = await page.evaluate((options) => globalThis.start(options), start);
    return {
      adapter,
      run: (name) => page.evaluate((name) => globalThis.runner.run(name), name),
      async close() {
        const timer = setTimeout(() => browser.process()?.kill("SIGKILL"), 5_000);
        await browser.close().catch(() => {}); // a browser that crashed is closed already
        clearTimeout(timer);
      },
    };
  } catch (error) {
    await browser.close();
    throw error;
  }
};
