// A page of http://localhost/ in its own headless Chrome, without a server.
import { readFile } from "node:fs/promises";
import type { Page } from "puppeteer";
import { launchChrome } from "../../scripts/chrome/chrome.ts";

/**
 * A new page that gets an empty document from http://localhost/, once it goes there. The test closes its browser.
 * @param fileOf the file on the disk that answers another path of the address.
 */
export async function localPage(fileOf: (pathname: string) => string | undefined = () => undefined): Promise<Page> {
  const browser = await launchChrome();
  const page = await browser.newPage();
  await page.setRequestInterception(true);
  page.on("request", async (request) => {
    const { pathname } = new URL(request.url());
    if (pathname === "/") return request.respond({ contentType: "text/html", body: "<!doctype html>" });
    const file = fileOf(pathname);
    const body = file === undefined ? undefined : await readFile(file).catch(() => undefined);
    return request.respond(body ? { body } : { status: 404 });
  });
  return page;
}
